package headscope.backend;

import headscope.tensor.Conversion;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** Checks results of operations for infinities and NaN, for --check. */
interface Finite {
    /** Elements that are downloaded at once. */
    long BLOCK = 1 << 24;

    Finite UNCHECKED = (operation, results) -> {};

    /** @throws DeviceException that names the operation, if a result holds an infinity or NaN */
    void require(String operation, Tensor... results);

    /** Downloads every result and so waits for the operation. */
    static Finite on(Backend backend) {
        return (operation, results) -> {
            for (Tensor result : results) {
                long rows = result.shape().length == 0 ? 0 : result.size(0);
                long width = rows == 0 ? 0 : result.count() / rows;
                long atOnce = Math.max(1, BLOCK / Math.max(1, width));
                for (long first = 0; first < rows; first += atOnce) {
                    require(operation, result, first * width,
                            download(backend, result.rows(first, Math.min(atOnce, rows - first))));
                }
            }
        };
    }

    private static void require(String operation, Tensor result, long first, float[] values) {
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new DeviceException("%s: element %d of its result %s is %s"
                        .formatted(operation, first + i, result, values[i]));
            }
        }
    }

    private static float[] download(Backend backend, Tensor result) {
        if (result.dtype() == DType.F32) {
            return backend.download(result);
        }
        MemorySegment bytes = MemorySegment.ofArray(new byte[Math.toIntExact(result.count() * result.dtype().bytes)]);
        backend.download(bytes, result);
        float[] values = new float[Math.toIntExact(result.count())];
        Conversion.copy(result.dtype(), bytes, DType.F32, MemorySegment.ofArray(values));
        return values;
    }
}
