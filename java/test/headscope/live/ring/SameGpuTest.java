package headscope.live.ring;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import headscope.backend.Backend;
import headscope.backend.cuda.EmulatedDriver;
import headscope.live.LiveText;
import headscope.result.frame.FrameSource.MeasuredMetric;
import headscope.result.tapped.Tapped;
import headscope.result.tapped.TappedAttention;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A PyTorch process that copies queries and keys to memory of the emulated GPU that Headscope, another process, has
 * allocated. The tensors themselves are in the host's memory, which is also that of the emulated GPU.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SameGpuTest {
    private static final int LAYERS = 3;
    private static final String LIBRARIES = Path.of("target/cuda/driver").toAbsolutePath().toString();

    @TempDir
    private Path folder;

    private static String name(String test) {
        return "test-%d-gpu-%s".formatted(ProcessHandle.current().pid(), test);
    }

    private Feed feed(String name, String mode) throws IOException {
        return new Feed(folder, name, mode, Map.of("LD_LIBRARY_PATH", LIBRARIES));
    }

    private CompletableFuture<ChildJvm.Result> headscope(String name, String device, String... more) {
        List<String> arguments = new ArrayList<>(List.of("live", "--attach", name, "--device", device, "--headless"));
        arguments.addAll(List.of(more));
        return CompletableFuture.supplyAsync(() -> {
            try {
                return EmulatedDriver.headscope(Files.createDirectories(folder.resolve(name)), Map.of(), arguments);
            } catch (IOException | InterruptedException failure) {
                throw new IllegalStateException(failure);
            }
        });
    }

    /** Feeds a text, and what Headscope records of it. */
    private LiveText recorded(String mode, String... more) throws IOException, InterruptedException, ExecutionException {
        String name = name(mode);
        Path recording = folder.resolve(mode + ".frames");
        try (Feed feed = feed(name, mode)) {
            assertEquals("open", feed.line());
            List<String> options = new ArrayList<>(List.of("--record", recording.toString()));
            options.addAll(List.of(more));
            CompletableFuture<ChildJvm.Result> result = headscope(name, "cuda", options.toArray(String[]::new));
            Path messages = folder.resolve(name).resolve("err.txt");
            while (!result.isDone() && !(Files.exists(messages) && Files.readString(messages).contains("waiting for " + name))) {
                Thread.sleep(10);
            }
            feed.next();
            String tokens = feed.line();
            assertTrue(tokens.startsWith("same "), tokens);
            feed.next();
            if (mode.equals("gpu")) {
                assertEquals("copied " + LAYERS * Feed.NEW_TOKENS, feed.line());
            }
            assertEquals("skipped 0 restored", feed.line());
            feed.await();
            assertEquals("", feed.err());
            assertEquals(0, result.get().status(), result.get().err());
        }
        return CompareRecordings.last(recording);
    }

    @Test
    void numbersEqualThoseThroughSharedMemory() throws Exception {
        LiveText ordinary = recorded("background");
        LiveText within = recorded("gpu", "--same-gpu");
        assertEquals(ordinary.tokens(), within.tokens());
        assertArrayEquals(ordinary.atlas(), within.atlas());
        assertArrayEquals(ordinary.map(), within.map());
        for (MeasuredMetric metric : ordinary.source().metrics()) {
            assertArrayEquals(ordinary.metric(metric.key()).orElseThrow(), within.metric(metric.key()).orElseThrow(), metric.key());
        }
    }

    /** The feeding process closes the memory of a Headscope that was killed, and continues through shared memory. */
    @Test
    void aKilledReceiverIsNoticed() throws Exception {
        String name = name("killed");
        try (Feed feed = feed(name, "gpu-killed")) {
            assertEquals("open", feed.line());
            Process headscope = EmulatedDriver.startHeadscope(folder, List.of("live", "--attach", name, "--device", "cuda",
                    "--same-gpu", "--headless", "--record", folder.resolve("frames").toString()));
            try {
                feed.next();
                assertEquals("accepted", feed.line());
            } finally {
                headscope.destroyForcibly().waitFor();
            }
            feed.next();
            assertTrue(feed.line().startsWith("same "));
            try (RingReader reader = RingReader.open(name)) {
                int rows = 0;
                while (rows < LAYERS * Feed.NEW_TOKENS) {
                    Optional<Tapped> message = reader.poll();
                    rows += message.isPresent() && message.get() instanceof TappedAttention read && !read.onGpu() ? 1 : 0;
                }
            }
            assertEquals("skipped 0 restored", feed.end());
            assertEquals("", feed.err());
        }
    }

    /** Memory that no process has. */
    private record Nowhere(String gpu) implements GpuSlots {
        @Override
        public byte[] handle() {
            return new byte[64];
        }

        @Override
        public byte[] uuid() {
            return Arrays.copyOf(gpu.getBytes(StandardCharsets.UTF_8), 16);
        }

        @Override
        public MemorySegment read(long offset, long bytes) {
            throw new UnsupportedOperationException();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "plain, emulated GPU 0, the model's tensors are not on a GPU",
        "background, emulated GPU 0, the model's tensors are not on a GPU",
        "gpu1, emulated GPU 0, 'the model is on GPU-656d756c-6174-6564-2047-505520310000, Headscope on GPU-656d756c-6174-6564-2047-505520300000'",
        "gpu-capture, emulated GPU 0, the tap also captures",
        "gpu1, emulated GPU 1, cuIpcOpenMemHandle_v2: CUDA_ERROR_INVALID_HANDLE"
    })
    void aProducerRefusesInOneLineAndItsModelContinues(String mode, String gpu, String reason) throws Exception {
        String name = name("refused");
        try (Feed feed = feed(name, mode)) {
            assertEquals("open", feed.line());
            try (RingReader reader = RingReader.open(name)) {
                reader.receive(new Nowhere(gpu));
                feed.next();
                assertTrue(feed.line().startsWith("same "));
                String refused = assertThrows(RingException.class, () -> {
                    while (true) {
                        reader.poll().ifPresent(message -> assertFalse(message instanceof TappedAttention rows && rows.onGpu()));
                        Thread.sleep(1);
                    }
                }).getMessage();
                assertEquals(RingReader.path(name) + ": --same-gpu is refused: " + reason + "; leave it out", refused);
                assertTrue(reader.withdraw());
            }
            assertEquals("skipped 0 restored", feed.end());
            assertEquals("", feed.err());
        }
    }

    /** Memory that a process opens must not be freed before. */
    @Test
    void anOfferIsNotWithdrawnWhileItsMemoryIsBeingOpened() throws Exception {
        String name = name("withdrawn");
        try (Feed feed = feed(name, "gpu-withdrawn")) {
            assertEquals("open", feed.line());
            try (RingReader reader = RingReader.open(name)) {
                reader.receive(new Nowhere("emulated GPU 0"));
                feed.next();
                List<String> lines = List.of(feed.line(), feed.line()); // of two threads
                assertTrue(lines.contains("opens"), lines.toString());
                assertTrue(!reader.withdraw() || Files.exists(folder.resolve("opened")));
            }
            assertEquals("skipped 0 restored", feed.end());
            assertEquals("", feed.err());
        }
    }

    @Test
    void aCpuHasNoSuchMemory() {
        try (Backend backend = Backend.open("cpu")) {
            String refused = assertThrows(IllegalArgumentException.class, () -> backend.share(8, 8)).getMessage();
            assertTrue(refused.startsWith("--same-gpu needs a GPU, and this is "), refused);
        }
    }
}
