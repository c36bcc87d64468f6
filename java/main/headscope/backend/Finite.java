package headscope.backend;

import headscope.tensor.Conversion;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** Checks results of operations for infinities and NaN, for --check. */
interface Finite {
    Finite UNCHECKED = (operation, results) -> {};

    /** @throws DeviceException that names the operation, if a result holds an infinity or NaN */
    void require(String operation, Tensor... results);

    /** Downloads every result and so waits for the operation. */
    static Finite on(Backend backend) {
        return (operation, results) -> {
            for (Tensor result : results) {
                float[] values = download(backend, result);
                for (int i = 0; i < values.length; i++) {
                    if (!Float.isFinite(values[i])) {
                        throw new DeviceException("%s: element %d of its result %s is %s"
                                .formatted(operation, i, result, values[i]));
                    }
                }
            }
        };
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
