package headscope.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** JCuda's own native library and our device layer, on an emulated driver. */
class JcudaDeviceTest {
    @TempDir
    Path folder;

    @Test
    void passesItsChecksOnAnEmulatedDriver() throws Exception {
        EmulatedDriver.Ended ended = EmulatedDriver.tests(folder, JcudaDeviceChecks.class);

        assertEquals(0, ended.status(), ended.err());
        assertTrue(ended.out().matches("(?s).*[1-9]\\d* tests passed\\s*"), ended.out());
    }
}
