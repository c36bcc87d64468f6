package headscope.result.frame;

/**
 * A frame of a recording.
 *
 * @param nanos time since the recording began
 */
public record RecordedFrame(long nanos, Frame frame) {}
