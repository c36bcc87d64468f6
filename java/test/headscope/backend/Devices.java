package headscope.backend;

import headscope.backend.cuda.Cuda;
import headscope.backend.cuda.EmulatedDevice;
import headscope.tensor.DType;
import java.util.List;

/** The checked backends that tests can open on this machine. */
public final class Devices {
    public static final String EMULATED = "emulated cuda";

    /** CPU, emulated CUDA, and a GPU if there is one with kernels for it. */
    public static final List<String> ALL =
            Cuda.unavailable(0).isEmpty() ? List.of("cpu", EMULATED, "cuda") : List.of("cpu", EMULATED);

    private Devices() {}

    /** The {@link Reference}, checked. */
    public static Backend reference() {
        return new CheckedBackend(new Reference());
    }

    public static Backend open(String device) {
        return device.equals(EMULATED) ? emulated(DType.F32) : Backend.open(device);
    }

    /** Emulated CUDA with a limit on its memory, in bytes. */
    public static Backend emulated(long memory) {
        return new CheckedBackend(EmulatedDevice.open(DType.F32, memory));
    }

    /** Emulated CUDA with operands of this type. */
    public static Backend emulated(DType operands) {
        return new CheckedBackend(EmulatedDevice.open(operands));
    }

    /** Emulated CUDA with warp groups. */
    public static Backend emulatedHopper(DType operands) {
        return new CheckedBackend(EmulatedDevice.openHopper(operands));
    }
}
