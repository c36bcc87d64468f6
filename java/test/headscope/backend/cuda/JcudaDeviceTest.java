package headscope.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** JCuda's native library and the device layer, on an emulated driver. */
class JcudaDeviceTest {
    @TempDir
    Path folder;

    @Test
    void passesItsChecksOnAnEmulatedDriver() throws Exception {
        ChildJvm.Result result = EmulatedDriver.tests(folder, JcudaDeviceChecks.class);

        assertEquals(0, result.status(), result.err());
        assertTrue(result.out().matches("(?s).*[1-9]\\d* tests passed\\s*"), result.out());
    }

    @Test
    void reportsGpusThatTheKernelsDoNotSupport() {
        Fatbins kernels = new Fatbins(13, List.of(80, 90, 120), Map.of());
        assertEquals(Optional.empty(), unavailable(13000, 80, kernels));
        assertEquals(Optional.empty(), unavailable(13010, 89, kernels));
        assertEquals(Optional.empty(), unavailable(13000, 130, kernels));
        assertEquals(Optional.of("CUDA 13 kernels need driver 580 or newer; this driver supports CUDA 12.4"),
                unavailable(12040, 90, kernels));
        assertEquals(Optional.of("kernels are compiled for compute capability 8.0 and newer, the GPU has 7.5"),
                unavailable(13000, 75, kernels));
        assertEquals("PTX of compute capability 12.0, which the driver compiles at the first start",
                kernels.match(gpu(130)).how());
    }

    private static Optional<String> unavailable(int version, int capability, Fatbins kernels) {
        return Cuda.unavailable(0, version, List.of(gpu(capability)), kernels);
    }

    private static Gpu gpu(int capability) {
        return new Gpu(0, "GPU", capability, 1L << 30);
    }
}
