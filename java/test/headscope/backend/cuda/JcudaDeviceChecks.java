package headscope.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Seed;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.DeviceException;
import headscope.backend.DeviceMemoryException;
import headscope.backend.Packing;
import headscope.backend.Precision;
import headscope.backend.Recording;
import headscope.backend.SharedMemory;
import headscope.backend.TensorScope;
import headscope.model.Transformer;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import jcuda.driver.CUipcMemHandle;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests of the device layer, run by {@link JcudaDeviceTest} in a process with an emulated driver. */
class JcudaDeviceChecks {
    private static final Fatbins KERNELS = new Fatbins(13, List.of(80, 90), Map.of("all", "emulated"::getBytes));
    private static final int PIECE = 8 << 20;

    /** Device 0 has memory pools, device 1 has none. */
    private static JcudaDevice device(int ordinal) {
        return new JcudaDevice(Gpu.all().get(ordinal), KERNELS, stream -> Optional.empty());
    }

    @Test
    void describesDriverAndGpu() {
        assertEquals(Optional.empty(), NvidiaDriver.unavailable());
        assertEquals(13000, NvidiaDriver.version());
        assertEquals(new Gpu(1, "Emulated GPU", 86, 1L << 30), Gpu.all().get(1));
        try (JcudaDevice device = device(0)) {
            assertEquals("cuda:0, Emulated GPU, compute capability 9.0, 1.0 GiB, products without cuBLAS", device.describe());
        }
    }

    /** Sizes of less than one staging buffer, and of several, full or not. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4, 1000, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 17})
    void uploadsAndDownloads(int bytes) {
        for (int ordinal = 0; ordinal < 2; ordinal++) {
            try (JcudaDevice device = device(ordinal)) {
                byte[] sent = new byte[bytes];
                Seed.random().nextBytes(sent);
                MemorySegment memory = device.allocate(bytes);
                device.upload(memory, MemorySegment.ofArray(sent));
                byte[] back = new byte[bytes];
                device.download(MemorySegment.ofArray(back), memory);
                assertArrayEquals(sent, back);
                device.free(memory);
            }
        }
    }

    /** The transfer of an upload may still use the pinned buffers when the next upload starts. */
    @Test
    void uploadsDoNotOvertakeEachOther() {
        try (JcudaDevice device = device(0)) {
            MemorySegment[] memory = new MemorySegment[9];
            for (int i = 0; i < memory.length; i++) {
                memory[i] = device.allocate(Integer.BYTES);
                device.upload(memory[i], MemorySegment.ofArray(new int[] {i}));
            }
            for (int i = 0; i < memory.length; i++) {
                int[] back = new int[1];
                device.download(MemorySegment.ofArray(back), memory[i]);
                assertEquals(i, back[0]);
                device.free(memory[i]);
            }
        }
    }

    /** Several threads upload several pieces each, while the stream computes with what has arrived. */
    @Test
    void threadsUploadAtOnce() throws InterruptedException {
        for (int ordinal = 0; ordinal < 2; ordinal++) {
            try (JcudaDevice device = device(ordinal)) {
                MemorySegment[] memory = new MemorySegment[6];
                Thread[] threads = new Thread[memory.length];
                for (int i = 0; i < memory.length; i++) {
                    memory[i] = device.allocate(PIECE + 5 + i);
                    byte value = (byte) (i + 1);
                    MemorySegment to = memory[i];
                    threads[i] = Thread.ofPlatform().start(() -> device.upload(to, (offset, host) -> host.fill(value)));
                }
                for (int i = 0; i < memory.length; i++) {
                    threads[i].join();
                    byte[] expected = new byte[PIECE + 5 + i];
                    Arrays.fill(expected, (byte) (i + 1));
                    byte[] back = new byte[expected.length];
                    device.download(MemorySegment.ofArray(back), memory[i]);
                    assertArrayEquals(expected, back);
                    device.free(memory[i]);
                }
            }
        }
    }

    @Test
    void memoryIsClearedAndCounted() {
        try (Backend backend = new CudaBackend(device(0), Precision.F32)) {
            Tensor tensor = backend.allocate(DType.F32, 3, 5);
            assertArrayEquals(new float[15], backend.download(tensor));
            assertEquals(60, backend.liveBytes());
            tensor.buffer().close();
            assertEquals(0, backend.liveBytes());
        }
    }

    @Test
    void attentionOnHopperHasItsOwnKernels() {
        assertEquals(
                List.of("attention_forward_90a_bf16_d64", "attention_columns_90a_bf16_d64", "attention_gradient_rows_bf16_d64",
                        "attention_query_gradient_90a_bf16_d64", "attention_key_gradient_90a_bf16_d64"),
                attentionKernels(0));
        assertEquals(
                List.of("attention_forward_bf16_d64", "attention_columns_bf16_d64", "attention_gradient_rows_bf16_d64",
                        "attention_query_gradient_bf16_d64", "attention_key_gradient_bf16_d64"),
                attentionKernels(1));
    }

    private static List<String> attentionKernels(int ordinal) {
        int tokens = 5;
        JcudaDevice device = device(ordinal);
        try (Backend backend = new CudaBackend(device, Precision.BF16);
                AttentionStatistics statistics = new AttentionStatistics(backend, 1, tokens);
                TensorScope on = new TensorScope(backend)) {
            Tensor out = on.allocate(DType.F32, tokens, 64);
            Tensor q = on.allocate(DType.F32, tokens, 64);
            Tensor k = on.allocate(DType.BF16, tokens, 64);
            Tensor gradient = on.allocate(DType.F32, tokens, 64);
            Tensor logSumExp = on.allocate(DType.F32, tokens);
            AttentionSpec spec = AttentionSpec.plain(1, 1, 64, true);
            Packing packing = Packing.of(tokens, tokens);
            return device.time(() -> {
                backend.attention(out, q, k, k, packing, spec, Optional.of(statistics));
                backend.gradients().attention(
                        gradient, gradient, gradient, out, out, logSumExp, q, k, k, packing, spec, List.of(Optional.empty()));
            }).keySet().stream().filter(kernel -> kernel.contains("d64")).toList();
        }
    }

    /** Another process opens the memory in SameGpuTest. */
    @Test
    void onlyMemoryOutsideOfPoolsIsExported() {
        try (JcudaDevice device = device(0)) {
            long free = device.freeBytes();
            MemorySegment pooled = device.allocate(64);
            assertEquals(free - 64, device.freeBytes());
            assertEquals(CUresult.CUDA_ERROR_INVALID_VALUE,
                    JCudaDriver.cuIpcGetMemHandle(new CUipcMemHandle(), new Address(pooled)));
            device.free(pooled);
            try (SharedMemory memory = device.share(4096, 512)) {
                assertEquals(64, memory.handle().length);
                assertArrayEquals(Arrays.copyOf("emulated GPU 0".getBytes(StandardCharsets.UTF_8), 16), memory.uuid());
                assertEquals(512, memory.read(3584, 512).byteSize());
                assertThrows(IndexOutOfBoundsException.class, () -> memory.read(3585, 512));
            }
        }
    }

    @Test
    void outOfMemoryMessageStatesTheFreeMemory() {
        for (int ordinal = 0; ordinal < 2; ordinal++) {
            try (JcudaDevice device = device(ordinal)) {
                MemorySegment half = device.allocate(512 << 20);
                String message = assertThrows(DeviceMemoryException.class, () -> device.allocate(600 << 20)).getMessage();
                assertTrue(message.startsWith(
                        "Emulated GPU: 600.0 MiB of memory are needed, 512.0 of 1024.0 MiB are free"), message);
                device.free(half);
                device.free(device.allocate(600 << 20));
            }
        }
    }

    @Test
    void launchesByNameAndReadsConstants() {
        try (Backend backend = new CudaBackend(device(0), Precision.F32)) {
            Tensor x = tensor(backend, new float[] {1, 2, 3});
            backend.scale(x, 2);
            backend.add(x, x);
            assertArrayEquals(new float[] {4, 8, 12}, backend.download(x));
            x.buffer().close();
        }
    }

    @Test
    void aRecordingKeepsValuesAndReadsMemory() {
        for (int ordinal = 0; ordinal < 2; ordinal++) {
            try (JcudaDevice device = device(ordinal)) {
                RecordingChecks.run(device);
            }
        }
    }

    /** Temporary memory, products and tables, through the driver's capture. */
    @Test
    void recordsDecodingSteps() {
        JcudaDevice device = new JcudaDevice(Gpu.all().getFirst(), KERNELS, stream -> cublas(12, stream));
        try (Backend backend = new CudaBackend(device, Precision.BF16);
                Transformer model = DecodingStepsTest.open("llama", backend)) {
            List<DecodingStepsTest.Outcome> expected = DecodingStepsTest.launchedOneByOne(model);
            List<DecodingStepsTest.Outcome> actual = new ArrayList<>();
            assertTrue(device.time(() -> actual.addAll(DecodingStepsTest.recorded(model))).containsKey("graph"));
            DecodingStepsTest.assertSame(expected, actual);
        }
    }

    /** Both cuBLAS bindings and the built-in kernels. */
    @ParameterizedTest
    @ValueSource(ints = {0, 12, 13})
    void recordsProducts(int cublas) {
        try (JcudaDevice device = new JcudaDevice(Gpu.all().getFirst(), KERNELS, stream -> cublas(cublas, stream))) {
            Backend backend = new CudaBackend(device, Precision.F32);
            Tensor x = tensor(backend, new float[] {1, 2, 3, 4}).as(2, 2);
            Tensor square = backend.allocate(DType.F32, 2, 2);
            Product product = new Product(square, x, false, x, false);
            device.multiply(product); // reads constants of kernels, which a recording could not
            backend.scale(square, 0);
            try (Recording recording = device.record(() -> device.multiply(product))) {
                assertArrayEquals(new float[4], backend.download(square));
                recording.launch();
                assertArrayEquals(new float[] {7, 10, 15, 22}, backend.download(square));
                backend.scale(x, 2);
                recording.launch();
                assertArrayEquals(new float[] {28, 40, 60, 88}, backend.download(square));
            }
            List.of(x, square).forEach(tensor -> tensor.buffer().close());
        }
    }

    @Test
    void failuresNameTheCallAndItsLaunch() {
        try (JcudaDevice device = device(0)) {
            assertTrue(assertThrows(DeviceException.class, () -> device.launch(Launch.flat("nothing_f32", 1, 1, 32)))
                    .getMessage().startsWith("no kernel named nothing_f32"));
            assertTrue(assertThrows(DeviceException.class, () -> device.constant("nothing_threads"))
                    .getMessage().startsWith("no kernel exports nothing_threads"));
            assertEquals("scale_f32<<<(0, 1, 1), 32, 0>>>[1.0, 7]: CUDA_ERROR_LAUNCH_FAILED",
                    assertThrows(DeviceException.class, () -> device.launch(Launch.flat("scale_f32", 0, 1, 32, 1f, 7)))
                            .getMessage());
        }
    }

    /** More than 48 KiB of shared memory must be requested from the driver. */
    @Test
    void requestsLargeSharedMemory() {
        try (JcudaDevice device = device(0)) {
            MemorySegment x = device.allocate(Float.BYTES);
            device.upload(x, MemorySegment.ofArray(new float[] {3}));
            device.launch(new Launch("scale_f32", 1, 1, 1, 32, 100 << 10, List.of(x, 2f, 1L)));
            float[] back = new float[1];
            device.download(MemorySegment.ofArray(back), x);
            assertEquals(6, back[0]);
            device.free(x);
        }
    }

    /** Tokens that attend only to themselves; the band of 400 tokens needs more shared memory than without an attribute. */
    @ParameterizedTest
    @ValueSource(ints = {5, 40, 120, 200, 400, 900})
    void symmetricSpectraOfEverySize(int tokens) {
        JcudaDevice device = device(0);
        assertEquals(227 << 10, device.sharedMemory());
        try (Backend backend = new CudaBackend(device, Precision.F32)) {
            Tensor x = tensor(backend, random(Seed.random(), tokens * 8)).as(tokens, 8);
            AttentionSpec selfOnly = new AttentionSpec(2, 2, 4, 1, true, 1, 0, Optional.empty());
            double[][] spectra = backend.symmetricSpectrum(x, x, Packing.whole(x.intSize(0)), selfOnly).getFirst();
            assertArrayEquals(new double[2][tokens], spectra);
            x.buffer().close();
            assertEquals(0, backend.liveBytes());
        }
    }

    @Test
    void severalThreadsMayUseTheDevice() throws InterruptedException {
        try (JcudaDevice device = device(0)) {
            MemorySegment[] memory = new MemorySegment[1];
            Thread other = new Thread(() -> memory[0] = device.allocate(4));
            other.start();
            other.join();
            device.free(memory[0]);
        }
    }

    /** Both cuBLAS bindings and the built-in kernels: plain, and with either operand transposed. */
    @ParameterizedTest
    @CsvSource({"0, 1, 1, 1", "12, 1, 1, 1", "13, 1, 1, 1", "0, 7, 33, 65", "12, 7, 33, 65", "13, 7, 33, 65"})
    void multiplies(int cublas, int m, int n, int k) {
        try (JcudaDevice device = new JcudaDevice(
                Gpu.all().getFirst(), KERNELS, stream -> cublas(cublas, stream))) {
            assertEquals(cublas == 0 ? Optional.empty() : Optional.of("cuBLAS " + cublas + ".0.0"), device.blas());
            Random random = Seed.random();
            float[] a = random(random, m * k);
            float[] b = random(random, k * n);
            float[] expected = new float[m * n];
            for (int i = 0; i < m; i++) {
                for (int j = 0; j < n; j++) {
                    for (int l = 0; l < k; l++) {
                        expected[i * n + j] += a[i * k + l] * b[l * n + j];
                    }
                }
            }
            Backend backend = new CudaBackend(device, Precision.F32);
            for (boolean[] transposed : new boolean[][] {{false, false}, {true, false}, {false, true}}) {
                Tensor left = tensor(backend, transposed[0] ? transpose(a, m, k) : a)
                        .as(transposed[0] ? new long[] {k, m} : new long[] {m, k});
                Tensor right = tensor(backend, transposed[1] ? transpose(b, k, n) : b)
                        .as(transposed[1] ? new long[] {n, k} : new long[] {k, n});
                Tensor destination = backend.allocate(DType.F32, m, n);
                device.multiply(new Product(destination, left, transposed[0], right, transposed[1]));
                // the same sums in the same order
                assertArrayEquals(expected, backend.download(destination));
                if (!transposed[0] && transposed[1]) {
                    device.multiply(new Product(destination, true, left, false, right, true));
                    float[] twice = expected.clone();
                    for (int i = 0; i < twice.length; i++) {
                        twice[i] *= 2;
                    }
                    assertArrayEquals(twice, backend.download(destination), "added");
                }
                List.of(left, right, destination).forEach(tensor -> tensor.buffer().close());
            }
        }
    }

    private static Optional<Blas> cublas(int version, Stream stream) {
        return version == 0
                ? Optional.empty()
                : new CublasLibrary(version, Optional.of(EmulatedDriver.LIBRARIES.resolve("cublas" + version)))
                        .open(stream, false);
    }

    /** Until the first product, nothing waits for cuBLAS. */
    @Test
    void cublasIsOpenedBesideOtherWork() {
        CountDownLatch used = new CountDownLatch(1);
        JcudaDevice device = new JcudaDevice(Gpu.all().getFirst(), KERNELS, stream -> {
            await(used);
            return cublas(12, stream);
        });
        try (Backend backend = new CudaBackend(device, Precision.F32)) {
            Tensor x = tensor(backend, new float[] {1, 2, 3, 4}).as(2, 2);
            backend.scale(x, 2);
            assertArrayEquals(new float[] {2, 4, 6, 8}, backend.download(x));
            used.countDown();
            assertEquals(Optional.of("cuBLAS 12.0.0"), device.blas());
        }
    }

    /** Want of memory is not taken for a missing library. */
    @ParameterizedTest
    @ValueSource(ints = {12, 13})
    void tooLittleMemoryForCublas(int version) {
        CountDownLatch full = new CountDownLatch(1);
        try (JcudaDevice device = new JcudaDevice(Gpu.all().getFirst(), KERNELS, stream -> {
            await(full);
            return cublas(version, stream);
        })) {
            MemorySegment memory = device.allocate((1L << 30) - Blas.WORKSPACE / 2);
            full.countDown();
            Tensor x = Tensor.of(new Buffer(memory.asSlice(0, 64), () -> {}), DType.F32, 4, 4);
            DeviceMemoryException failure = assertThrows(
                    DeviceMemoryException.class, () -> device.multiply(new Product(x, x, false, x, false)));
            assertTrue(failure.getMessage().startsWith("cuBLAS: 32.0 MiB of memory are needed, "), failure.getMessage());
            device.free(memory);
        }
    }

    @Test
    void theFirstProductReportsWhyCublasFails() {
        DeviceException failure = new DeviceException("out of order");
        JcudaDevice device = new JcudaDevice(Gpu.all().getFirst(), KERNELS, stream -> {
            throw failure;
        });
        MemorySegment memory = device.allocate(64);
        Tensor x = Tensor.of(new Buffer(memory, () -> {}), DType.F32, 4, 4);
        assertSame(failure, assertThrows(DeviceException.class, () -> device.multiply(new Product(x, x, false, x, false))));
        device.free(memory);
        device.close();
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(1, TimeUnit.MINUTES));
        } catch (InterruptedException stopped) {
            throw new IllegalStateException(stopped);
        }
    }

    @Test
    void errorsOfCublasNameTheProduct() {
        try (JcudaDevice device = new JcudaDevice(
                Gpu.all().getFirst(), KERNELS, stream -> cublas(12, stream))) {
            MemorySegment memory = device.allocate(64);
            Tensor x = Tensor.of(new Buffer(memory, () -> {}), DType.F32, 4, 4);
            Product wrong = new Product(x, x.as(2, 8), false, x.as(8, 2), false);
            assertEquals("F32[4, 4] = F32[2, 8] F32[8, 2]: CUBLAS_STATUS_INVALID_VALUE",
                    assertThrows(DeviceException.class, () -> device.multiply(wrong)).getMessage());
            device.free(memory);
        }
    }

    private static float[] random(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static float[] transpose(float[] x, int rows, int columns) {
        float[] turned = new float[x.length];
        for (int i = 0; i < x.length; i++) {
            turned[i % columns * rows + i / columns] = x[i];
        }
        return turned;
    }

    private static Tensor tensor(Backend backend, float[] values) {
        Tensor tensor = backend.allocate(DType.F32, values.length);
        backend.upload(tensor, MemorySegment.ofArray(values));
        return tensor;
    }
}
