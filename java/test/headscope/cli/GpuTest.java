package headscope.cli;

import static headscope.cli.CommandLineTest.headscope;
import static headscope.cli.CommandLineTest.with;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import headscope.Tolerance;
import headscope.backend.Precision;
import headscope.backend.cuda.EmulatedDriver;
import headscope.result.Manifest;
import headscope.tensor.Safetensors;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The whole program on a machine with two GPUs, which are emulated: its results, and which GPU it uses. */
class GpuTest {
    private static final List<String> RUN = List.of("spectra", "--model", "models/demo", "--texts", "data/qa.jsonl",
            "--limit", "6", "--max-new-tokens", "1", "--k", "3");

    @TempDir
    Path folder;

    /** On an emulated driver, JCuda, the device layer and the kernels reproduce the values of the CPU. */
    @ParameterizedTest
    @CsvSource({"'', F32, spectral_entropy", "cublas12, F32, entropy", "cublas13, BF16, entropy"})
    void runsOnAnEmulatedDriver(String cublas, Precision precision, String metric) throws Exception {
        Path cpu = folder.resolve("cpu");
        Path cuda = folder.resolve("cuda");
        List<String> run = with(RUN, "--metrics", metric, "--check");
        assertEquals(0, headscope(with(run, "--device", "cpu", "--out", cpu.toString())).status());
        ChildJvm.Result result = EmulatedDriver.headscope(
                folder, cublas.isEmpty() ? Map.of() : Map.of("HEADSCOPE_CUBLAS", "target/cuda/" + cublas),
                with(run, "--dtype", precision.name().toLowerCase(Locale.ROOT), "--out", cuda.toString()));

        assertEquals(0, result.status(), result.err());
        assertEquals(cublas.isEmpty(), result.err().contains("headscope: no cuBLAS 12 or 13: "), result.err());
        assertTrue(Files.readString(cuda.resolve("manifest.json")).contains("cuda:0, Emulated GPU"));
        try (Safetensors expected = Safetensors.open(cpu.resolve("values.safetensors"));
                Safetensors actual = Safetensors.open(cuda.resolve("values.safetensors"))) {
            assertEquals(expected.names(), actual.names());
            for (String name : List.of("attention_score", metric)) {
                float[] values = floats(expected, name);
                assertArrayEquals(values, floats(actual, name), Tolerance.model(precision.operands, values), name);
            }
        }
    }

    private static float[] floats(Safetensors file, String name) {
        return file.get(name).bytes().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }

    @Test
    void describesTheGpu() throws Exception {
        ChildJvm.Result result = EmulatedDriver.headscope(
                folder, Map.of("HEADSCOPE_CUBLAS", "target/cuda/cublas13"), List.of("doctor"));
        assertTrue(result.out().contains("GPU        cuda:0, Emulated GPU, compute capability 9.0, 1.0 GiB: "
                + "compiled for compute capability 9.0"), result.out());
        assertTrue(result.out().contains("GPU        cuda:1, Emulated GPU, compute capability 8.6, 1.0 GiB: "
                + "compiled for compute capability 8.0"), result.out());
        assertTrue(result.out().contains("products   cuBLAS 13.0.0"), result.out());
        assertTrue(result.out().contains("kernels    CUDA 13, for compute capability 8.0, 9.0 and newer"), result.out());
    }

    /** @param used ordinals of GPUs that other processes use exclusively */
    @ParameterizedTest
    @CsvSource({"0, 'cuda:1, Emulated GPU'", "01, cpu"})
    void autoUsesTheFirstGpuThatWorks(String used, String device) throws Exception {
        Path run = folder.resolve("run");
        ChildJvm.Result result = EmulatedDriver.headscope(
                folder, Map.of("EMULATED_GPUS_IN_USE", used), with(RUN, "--dtype", "f32", "--out", run.toString()));

        assertEquals(0, result.status(), result.err());
        assertTrue(Manifest.read(run).text("/device").startsWith(device), Manifest.read(run).text("/device"));
        assertEquals(device.equals("cpu"), result.err().contains("computing on the CPU"), result.err());
        assertEquals(!device.equals("cpu"), result.err().contains("CUDA_ERROR_DEVICE_UNAVAILABLE; using another GPU"), result.err());
    }

    @Test
    void aGpuInUseIsReported() throws Exception {
        Map<String, String> environment = Map.of("EMULATED_GPUS_IN_USE", "0", "HEADSCOPE_CUBLAS", folder.toString());
        String used = "cuda:0 cannot be opened; nvidia-smi shows which processes use it: CUDA_ERROR_DEVICE_UNAVAILABLE";
        String ignored = "HEADSCOPE_CUBLAS is ignored: there is no libcublas.so.12 or libcublas.so.13 in " + folder
                + "; name the folder that contains it";

        ChildJvm.Result doctor = EmulatedDriver.headscope(folder, environment, List.of("doctor"));
        assertTrue(doctor.out().contains("products   not checked: " + used), doctor.out() + doctor.err());
        assertTrue(doctor.out().contains("products   no cuBLAS 12 or 13"), "of cuda:1: " + doctor.out());
        assertTrue(doctor.out().contains("products   " + ignored), doctor.out());
        ChildJvm.Result chosen = EmulatedDriver.headscope(
                folder, environment, with(RUN, "--device", "cuda", "--out", folder.resolve("run").toString()));
        assertEquals(2, chosen.status());
        assertEquals("headscope: " + used + "\n", chosen.err());
    }

    @Test
    void listsTheGpusIfThereIsNoSuchGpu() throws Exception {
        ChildJvm.Result result = EmulatedDriver.headscope(
                folder, Map.of(), with(RUN, "--device", "cuda:2", "--out", folder.resolve("run").toString()));
        assertEquals(2, result.status());
        assertEquals("headscope: --device cuda cannot be used: there is no cuda:2; available: cuda:0, cuda:1\n", result.err());
    }
}
