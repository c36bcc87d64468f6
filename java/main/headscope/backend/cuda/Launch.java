package headscope.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.List;
import java.util.Optional;

/**
 * One kernel, its grid, and its arguments in order.
 *
 * @param gridX     blocks along x, as gridY along y and gridZ along z
 * @param threads   threads per block, along x
 * @param shared    bytes of dynamic shared memory
 * @param arguments {@link Tensor}, {@link MemorySegment} (a device address), an empty {@link Optional} (a null pointer)
 *                  or one of a tensor, {@link TensorMap}, {@link Integer}, {@link Long}, {@link Float}, {@link Double}
 */
record Launch(String kernel, long gridX, long gridY, long gridZ, int threads, int shared, List<Object> arguments) {
    /** A launch without grid z and dynamic shared memory. */
    static Launch flat(String kernel, long gridX, long gridY, int threads, Object... arguments) {
        return new Launch(kernel, gridX, gridY, 1, threads, 0, List.of(arguments));
    }

    /**
     * The kernelParams of cuLaunchKernel: an array of pointers to each argument.
     *
     * @param arena allocates memory that must stay until the kernel has been started
     * @param maps  of a device that has tensor maps
     */
    MemorySegment parameters(SegmentAllocator arena, Optional<TensorMap.Encoder> maps) {
        MemorySegment pointers = arena.allocate(ADDRESS, arguments.size());
        for (int i = 0; i < arguments.size(); i++) {
            pointers.setAtIndex(ADDRESS, i, value(arena, maps, arguments.get(i)));
        }
        return pointers;
    }

    private static MemorySegment value(SegmentAllocator arena, Optional<TensorMap.Encoder> maps, Object argument) {
        return switch (argument) {
            case Tensor tensor -> arena.allocateFrom(JAVA_LONG, tensor.bytes().address());
            case MemorySegment memory -> arena.allocateFrom(JAVA_LONG, memory.address());
            case Optional<?> optional -> optional.isPresent()
                    ? value(arena, maps, optional.get())
                    : arena.allocateFrom(JAVA_LONG, 0);
            case TensorMap map -> {
                MemorySegment encoded = arena.allocate(TensorMap.BYTES, TensorMap.ALIGNMENT);
                maps.orElseThrow().encode(encoded, map, arena);
                yield encoded;
            }
            case Integer number -> arena.allocateFrom(JAVA_INT, number);
            case Long number -> arena.allocateFrom(JAVA_LONG, number);
            case Float number -> arena.allocateFrom(JAVA_FLOAT, number);
            case Double number -> arena.allocateFrom(JAVA_DOUBLE, number);
            default -> throw new IllegalArgumentException("not a kernel argument: " + argument.getClass());
        };
    }

    /** Kernel, grid and shapes, for messages. */
    @Override
    public String toString() {
        return "%s<<<(%d, %d, %d), %d, %d>>>%s".formatted(
                kernel, gridX, gridY, gridZ, threads, shared, arguments);
    }
}
