package headscope.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;

/**
 * The memory that recorded work allocates and frees. It stays allocated as long as the recording. What the work frees is
 * used again for its later allocations of the same size, because launches of a recording run in order.
 */
final class RecordedMemory {
    private final Map<Long, MemorySegment> all = new HashMap<>();
    private final Map<Long, Deque<MemorySegment>> unused = new HashMap<>();
    private boolean fixed;

    /**
     * A piece of this size that the work has freed, or a new one.
     *
     * @throws IllegalStateException if there is none, and the memory is fixed
     */
    MemorySegment take(long bytes, LongFunction<MemorySegment> device) {
        MemorySegment freed = unused.getOrDefault(bytes, new ArrayDeque<>()).pollLast();
        if (freed != null) {
            return freed;
        }
        if (fixed) {
            throw new IllegalStateException("work that is recorded allocates %d bytes more than before".formatted(bytes));
        }
        MemorySegment memory = device.apply(bytes);
        all.put(memory.address(), memory);
        return memory;
    }

    /** Makes all pieces available again, and allows no others. */
    void fix() {
        unused.clear();
        all.values().forEach(this::giveBack);
        fixed = true;
    }

    boolean isFixed() {
        return fixed;
    }

    /** @throws IllegalStateException if the work has not allocated it: replays would free it again */
    void giveBack(MemorySegment memory) {
        if (!all.containsKey(memory.address())) {
            throw new IllegalStateException("memory from before a recording is freed in it");
        }
        unused.computeIfAbsent(memory.byteSize(), size -> new ArrayDeque<>()).add(memory);
    }

    List<MemorySegment> all() {
        return new ArrayList<>(all.values());
    }
}
