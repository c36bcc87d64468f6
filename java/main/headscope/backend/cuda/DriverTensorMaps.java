package headscope.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;

/** cuTensorMapEncodeTiled, which JCuda does not have, through the JDK's foreign-function interface. */
final class DriverTensorMaps implements TensorMap.Encoder {
    private static final int SWIZZLE_128_BYTES = 3; // CU_TENSOR_MAP_SWIZZLE_128B
    private static final int PROMOTE_TO_256_BYTES = 3; // CU_TENSOR_MAP_L2_PROMOTION_L2_256B

    private final MethodHandle encode;

    @SuppressWarnings("restricted")
    DriverTensorMaps() {
        SymbolLookup driver = SymbolLookup.libraryLookup(NvidiaDriver.LIBRARY, Arena.global());
        encode = Linker.nativeLinker().downcallHandle(
                driver.findOrThrow("cuTensorMapEncodeTiled"),
                FunctionDescriptor.of(
                        JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_INT, JAVA_INT,
                        JAVA_INT, JAVA_INT));
    }

    @Override
    public void encode(MemorySegment to, TensorMap map, SegmentAllocator arrays) {
        int[] everyElement = new int[map.axes()];
        Arrays.fill(everyElement, 1);
        int status;
        try {
            status = (int) encode.invokeExact(
                    to, type(map), map.axes(), map.tensor().bytes(), map.extents(arrays), map.strides(arrays),
                    map.box(arrays), arrays.allocateFrom(JAVA_INT, everyElement), 0, map.swizzled() ? SWIZZLE_128_BYTES : 0,
                    PROMOTE_TO_256_BYTES, 0);
        } catch (Throwable failure) {
            throw new AssertionError("C functions throw nothing", failure);
        }
        NvidiaDriver.require(status, "cuTensorMapEncodeTiled of %s", map);
    }

    /** CUtensorMapDataType. */
    private static int type(TensorMap map) {
        return switch (map.tensor().dtype()) {
            case F16 -> 6;
            case F32 -> 7;
            case F64 -> 8;
            case BF16 -> 9;
            default -> throw new IllegalArgumentException("no tensor maps of " + map.tensor().dtype());
        };
    }
}
