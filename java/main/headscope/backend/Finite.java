package headscope.backend;

import headscope.tensor.DType;
import headscope.tensor.Tensor;

/** Looks at what an operation has left: under --check at every number, otherwise not at all. */
interface Finite {
    Finite UNCHECKED = (operation, results) -> {};

    /** @throws DeviceException that names the operation, if a number is infinite or none */
    void require(String operation, Tensor... results);

    /** Waits for the operation, and reads its results back. */
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
        Tensor wide = backend.allocate(DType.F32, result.shape());
        try {
            backend.convert(wide, result);
            return backend.download(wide);
        } finally {
            wide.buffer().close();
        }
    }
}
