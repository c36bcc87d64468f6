package headscope.backend;

import headscope.backend.cuda.Cuda;
import headscope.backend.cuda.EmulatedDevice;
import headscope.tensor.DType;
import java.util.List;

/** Every backend that a test can open here, behind the wall. */
public final class Devices {
    public static final String EMULATED = "emulated cuda";

    /** The GPU is among them where there is one that has kernels. */
    public static final List<String> ALL =
            Cuda.unavailable(0).isEmpty() ? List.of("cpu", EMULATED, "cuda") : List.of("cpu", EMULATED);

    private Devices() {}

    /** Plain loops in double. */
    public static Backend reference() {
        return new CheckedBackend(new Reference());
    }

    public static Backend open(String device) {
        return device.equals(EMULATED) ? emulated(DType.F32) : Backend.open(device);
    }

    /** Emulated CUDA of so many bytes of memory. */
    public static Backend emulated(long memory) {
        return new CheckedBackend(EmulatedDevice.open(DType.F32, memory));
    }

    /** Emulated CUDA whose products read numbers of this type. */
    public static Backend emulated(DType operands) {
        return new CheckedBackend(EmulatedDevice.open(operands));
    }
}
