package headscope.result.frame;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import headscope.result.ResultFormatException;
import headscope.tensor.InputFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/**
 * Reads the frames of a recording, also of one that is still being written. Every method throws
 * {@link ResultFormatException}, which names the file and the offset, if the file is damaged or cannot be read.
 */
public final class FrameFileReader implements AutoCloseable {
    /** Heads x cells of an atlas that an array can hold. */
    private static final long MAX_CELLS = Integer.MAX_VALUE - 8;

    private final Path file;
    private final FileChannel channel;
    private final FrameSource source;
    private long position;

    /** Where the next frame continues: the frame before is of this text and ends at this token. */
    private int text = -1;
    private int tokens;

    private FrameFileReader(Path file, FileChannel channel) throws IOException {
        this.file = file;
        this.channel = channel;
        requireKnownVersion();
        this.position = FrameFile.START;
        byte[] described = content().orElseThrow(() -> damaged(position, "the description of the recording is cut"));
        this.source = source(described);
        this.position += FrameFile.RECORD_HEAD + described.length;
    }

    public static FrameFileReader open(Path file) {
        try {
            InputFile.requireRegular(file);
            FileChannel channel = FileChannel.open(file);
            try {
                return new FrameFileReader(file, channel);
            } catch (Throwable refused) {
                channel.close();
                throw refused;
            }
        } catch (IOException failure) {
            throw new ResultFormatException(file, InputFile.fault(failure));
        }
    }

    public FrameSource source() {
        return source;
    }

    private void requireKnownVersion() throws IOException {
        ByteBuffer start = ByteBuffer.allocate(FrameFile.START);
        read(start, 0);
        byte[] magic = Arrays.copyOf(start.array(), FrameFile.MAGIC.length);
        if (start.position() < FrameFile.MAGIC.length || !Arrays.equals(magic, FrameFile.MAGIC)) {
            throw new ResultFormatException(file, "is not a recording of live --record");
        }
        if (start.hasRemaining()) {
            throw damaged(start.position(), "the version is cut");
        }
        int version = start.getInt(FrameFile.MAGIC.length);
        if (version != FrameFile.VERSION) {
            throw new ResultFormatException(file, "is a recording of version %d; this program reads version %d"
                    .formatted(version, FrameFile.VERSION));
        }
    }

    private FrameSource source(byte[] described) {
        try {
            FrameSource read = JsonMapper.builder()
                    .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
                    .build()
                    .readValue(described, FrameSource.class);
            long cells = (long) read.layers() * read.heads();
            if (cells > MAX_CELLS || cells * read.side() > MAX_CELLS || cells * read.side() * read.side() > MAX_CELLS) {
                throw damaged(position, "%d layers x %d heads x %d x %d cells are too many".formatted(
                        read.layers(), read.heads(), read.side(), read.side()));
            }
            return read.asRecorded();
        } catch (IOException malformed) {
            throw damaged(position, "the description of the recording is not valid");
        }
    }

    /** The next frame; empty at the end of what has been written whole, where a later call may find more. */
    public Optional<RecordedFrame> next() {
        try {
            return content().map(this::frame);
        } catch (IOException failure) {
            throw new ResultFormatException(file, InputFile.fault(failure));
        }
    }

    private RecordedFrame frame(byte[] content) {
        RecordedFrame recorded;
        try {
            recorded = FrameCoding.decode(content);
            requireFits(recorded.frame());
        } catch (RuntimeException malformed) {
            throw damaged(position, "the record is not a frame of this recording");
        }
        text = recorded.frame().text();
        tokens = recorded.frame().end();
        position += FrameFile.RECORD_HEAD + content.length;
        return recorded;
    }

    /** A frame that the program writes fits; one that does not would fail later, far from its file. */
    private void requireFits(Frame frame) {
        int heads = source.heads();
        boolean fits = frame.firstToken() <= (frame.text() == text ? tokens : 0)
                && frame.layersRead() <= source.layers()
                && frame.metrics().values().stream().allMatch(values -> values.length == source.layers() * heads)
                && frame.atlas().stream().allMatch(block -> block.layer() < source.layers()
                        && (long) block.firstRow() + block.rows() <= source.side()
                        && block.values().length == (long) heads * block.rows() * source.side())
                && frame.chosen().stream().allMatch(chosen -> chosen.layer() < source.layers() && chosen.head() < heads
                        && (long) chosen.firstRow() + chosen.rows() == chosen.columns());
        if (!fits) {
            throw new IllegalArgumentException("frame of another recording");
        }
    }

    /** Offset of the next frame, for {@link #moveTo}. */
    public long position() {
        return position;
    }

    /** Share of the bytes of the file so far that lie before the next frame. */
    public double share() {
        try {
            return (double) position / Math.max(position, channel.size());
        } catch (IOException failure) {
            throw new ResultFormatException(file, InputFile.fault(failure));
        }
    }

    /** Continues with the frame at an offset, the first one of a text. */
    public void moveTo(long offset) {
        position = offset;
        text = -1;
        tokens = 0;
    }

    /** Whether the file ends within a record: the process was killed while it wrote, or is writing now. */
    public boolean isCut() {
        try {
            return channel.size() > position;
        } catch (IOException failure) {
            throw new ResultFormatException(file, InputFile.fault(failure));
        }
    }

    /** The content of the record at the position; empty unless all of it is in the file. */
    private Optional<byte[]> content() throws IOException {
        ByteBuffer head = ByteBuffer.allocate(FrameFile.RECORD_HEAD);
        read(head, position);
        if (head.hasRemaining()) {
            return Optional.empty();
        }
        if (FrameFile.checksum(head.array(), 2 * Integer.BYTES) != head.getInt(2 * Integer.BYTES) || head.getInt(0) < 0) {
            throw damaged(position, "the record's length does not match its checksum");
        }
        int length = head.getInt(0);
        if (channel.size() - position - FrameFile.RECORD_HEAD < length) {
            return Optional.empty();
        }
        ByteBuffer content = ByteBuffer.allocate(length);
        read(content, position + FrameFile.RECORD_HEAD);
        if (FrameFile.checksum(content.array(), length) != head.getInt(Integer.BYTES)) {
            throw damaged(position, "the record does not match its checksum");
        }
        return Optional.of(content.array());
    }

    private void read(ByteBuffer bytes, long from) throws IOException {
        while (bytes.hasRemaining() && channel.read(bytes, from + bytes.position()) >= 0) {
            // until it is full or the file ends
        }
    }

    private ResultFormatException damaged(long offset, String fault) {
        return new ResultFormatException(file, "is damaged at byte %d: %s".formatted(offset, fault));
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException failure) {
            throw new ResultFormatException(file, InputFile.fault(failure));
        }
    }
}
