package headscope.backend;

import java.lang.foreign.MemorySegment;

/** Elements on the host, row-major, that are written where a backend wants them. */
public interface HostElements {
    /**
     * Writes consecutive elements.
     *
     * @param first index of the first one
     * @param to    native memory of as many elements as are wanted
     */
    void write(long first, MemorySegment to);
}
