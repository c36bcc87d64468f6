package headscope.backend.cuda;

import static jcuda.driver.CUresult.CUDA_ERROR_NO_DEVICE;
import static jcuda.driver.CUresult.CUDA_SUCCESS;

import headscope.backend.DeviceException;
import headscope.backend.DeviceMemoryException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import jcuda.JCudaVersion;
import jcuda.LibUtils;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/** NVIDIA's driver. It is loaded once, because a second attempt would fail with a misleading error. */
final class NvidiaDriver {
    static final String LIBRARY = "libcuda.so.1";
    private static final Optional<String> UNAVAILABLE = start();

    private NvidiaDriver() {}

    /** Why the driver cannot be used; empty if it can. */
    static Optional<String> unavailable() {
        return UNAVAILABLE;
    }

    private static Optional<String> start() {
        try {
            load("JCudaDriver");
            int status = JCudaDriver.cuInit(0);
            return switch (status) {
                case CUDA_SUCCESS -> Optional.empty();
                case CUDA_ERROR_NO_DEVICE -> Optional.of("NVIDIA's driver finds no GPU");
                default -> Optional.of("NVIDIA's driver does not start: " + CUresult.stringFor(status)
                        + "; nvidia-smi may show the cause");
            };
        } catch (LinkageError failure) {
            return Optional.of(failure.getMessage().contains(LIBRARY)
                    ? "no NVIDIA driver is installed (" + LIBRARY + " is missing): install driver 580 or newer"
                    : "JCuda cannot be loaded: " + failure.getMessage());
        }
    }

    /**
     * Loads a native library of JCuda from Headscope's own folder. Otherwise JCuda would search a temporary folder to which
     * every user can write.
     */
    @SuppressWarnings("restricted")
    static void load(String library) {
        System.loadLibrary(LibUtils.createPlatformLibraryName(library + "-" + JCudaVersion.get()));
    }

    /** A function of the driver that JCuda does not bind. */
    @SuppressWarnings("restricted")
    static ForeignCall call(String name, FunctionDescriptor types) {
        return ForeignCall.of(SymbolLookup.libraryLookup(LIBRARY, Arena.global()), name, types);
    }

    /** The driver's release, such as 580.65.06. */
    static String release() {
        Path file = Path.of("/sys/module/nvidia/version");
        try {
            return Files.isReadable(file) ? Files.readString(file).strip() : "of unknown release";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The newest CUDA version that the driver supports, such as 13000 for 13.0. */
    static int version() {
        int[] version = new int[1];
        require(JCudaDriver.cuDriverGetVersion(version), "cuDriverGetVersion");
        return version[0];
    }

    /** How much memory is missing, after an allocation has failed. */
    static DeviceMemoryException exhausted(String device, long bytes) {
        Memory memory = memory();
        return new DeviceMemoryException(device, bytes, memory.free, memory.total);
    }

    /** Bytes of the current context's device. */
    record Memory(long free, long total) {}

    static Memory memory() {
        long[] free = new long[1];
        long[] total = new long[1];
        require(JCudaDriver.cuMemGetInfo(free, total), "cuMemGetInfo");
        return new Memory(free[0], total[0]);
    }

    /** @throws DeviceException with the call and the error, unless status is success */
    static void require(int status, String call, Object... values) {
        if (status != CUDA_SUCCESS) {
            throw new DeviceException(call.formatted(values) + ": " + CUresult.stringFor(status));
        }
    }
}
