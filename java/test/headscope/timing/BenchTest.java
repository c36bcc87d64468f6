package headscope.timing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.backend.Backend;
import headscope.backend.DeviceException;
import headscope.backend.Devices;
import headscope.backend.InstrumentedBackend;
import headscope.model.Checkpoint;
import headscope.tensor.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;

/** Benchmarks measure all operations, and refuse a device with wrong results. Times are not tested. */
class BenchTest {
    private static final Shape GPT2 = Shape.parseList("gpt2").getFirst();

    @Test
    void timesAttentionAndSpectra() {
        try (Backend cpu = Backend.open("cpu:1")) {
            try (Bench bench = new Bench(cpu, cpu)) {
                List<Measurement> shown = new ArrayList<>();
                List<Measurement> measured = new ArrayList<>(bench.attention(GPT2, 8, shown::add));
                measured.addAll(bench.spectra(3, shown::add));
                assertEquals(List.of("attention", "attention, observed", "statistics", "decoding, observed", "laplacian",
                        "gradient, observed", "symmetric spectra"), measured.stream().map(Measurement::operation).toList());
                assertEquals(measured, shown);
                for (Measurement one : measured) {
                    assertTrue(one.runs() >= 5 && 0 < one.fastest() && one.fastest() <= one.median()
                            && one.median() <= one.slowest() && one.peakBytes() > 0, one.toString());
                }
                // 2 products of 12 heads of width 64 over the lower triangle of 8 x 8.
                assertEquals(12 * 2 * 2 * 64 * 36, measured.getFirst().operations());
            }
            assertEquals(0, cpu.liveBytes());
        }
    }

    /** Operands have the types that a model passes on, so that no kernel converts them. */
    @Test
    void attentionIn16BitsIsNotConverted() {
        try (Backend device = Devices.emulated(DType.BF16); AttentionWork attention = new AttentionWork(device, GPT2, 5)) {
            List<Work> all = new ArrayList<>(attention.all());
            all.add(attention.gradient());
            for (Work work : all) {
                Map<String, Double> kernels = work.seconds().apply(device);
                assertTrue(!kernels.isEmpty() && kernels.keySet().stream().noneMatch(kernel -> kernel.startsWith("convert")),
                        work.operation() + ": " + kernels.keySet());
            }
        }
    }

    @Test
    void timesAModel() {
        try (Backend cpu = Backend.open("cpu:1")) {
            try (Bench bench = new Bench(cpu, cpu); Checkpoint checkpoint = Checkpoint.open(Path.of("models/demo"));
                    ModelBench model = bench.open("demo", checkpoint)) {
                assertEquals(1, model.reading().runs());
                assertEquals(List.of("forward pass", "forward pass, observed"), operations(model.forward(6)));
                assertEquals(List.of("prefill, 1 text", "prefill, 1 text, observed"), throughput(model.prefill(1, 6), 6));
                assertEquals(List.of("prefill, 3 texts", "prefill, 3 texts, observed"), throughput(model.prefill(3, 6), 18));
                List<Throughput> decoding = model.decoding(1);
                assertEquals(List.of("decoding, 1 text", "decoding, 1 text, observed"), throughput(decoding, 1));
                // keys and values of 65 tokens in 12 layers of 192 elements
                assertEquals(model.reading().bytes() + 2 * 65 * 12 * 192 * 4, decoding.getFirst().time().bytes());
                assertEquals(List.of("decoding, 2 texts", "decoding, 2 texts, observed"), throughput(model.decoding(2), 2));
                assertEquals(List.of("gates, one update of 64 texts"), operations(model.gates()));
                SequencedMap<String, List<Measurement>> passes = model.profile(6);
                assertEquals(List.of("prefill of 6 tokens", "decoding of token 6"), List.copyOf(passes.keySet()));
                for (List<Measurement> kernels : passes.values()) {
                    assertEquals(kernels.size(), operations(kernels).stream().distinct().count());
                    for (int i = 1; i < kernels.size(); i++) {
                        assertTrue(kernels.get(i).median() <= kernels.get(i - 1).median());
                    }
                }
                // 12 layers, two products of 12 heads of width 16 over the lower triangle of 6 x 6, and over one row of it
                assertEquals(12 * 2 * 2 * 12 * 16 * 21, named(passes, "prefill: attention").operations());
                assertEquals(12 * 2 * 2 * 12 * 16 * 6, named(passes, "decoding: attention").operations());
                assertEquals(12 * 2 * 6 * 192 * 768, named(passes, "prefill: linear 768 x 192").operations());
            }
            assertEquals(0, cpu.liveBytes());
        }
    }

    private static List<String> operations(List<Measurement> measured) {
        return measured.stream().map(Measurement::operation).toList();
    }

    private static List<String> throughput(List<Throughput> measured, int newTokens) {
        measured.forEach(one -> assertEquals(newTokens / one.time().median(), one.tokensPerSecond()));
        return operations(measured.stream().map(Throughput::time).toList());
    }

    private static Measurement named(SequencedMap<String, List<Measurement>> passes, String operation) {
        return passes.values().stream().flatMap(List::stream)
                .filter(one -> one.operation().equals(operation)).findFirst().orElseThrow();
    }

    @Test
    void refusesWrongResults() {
        try (Backend cpu = Backend.open("cpu:1");
                Bench bench = new Bench(InstrumentedBackend.faulty(cpu, "symmetricSpectrum"), cpu)) {
            String message = assertThrows(DeviceException.class, () -> bench.spectra(3, one -> {})).getMessage();
            assertTrue(message.startsWith("not timed: symmetricSpectrum (spectra, 3 tokens, width 16) is wrong on cpu, "),
                    message);
            assertThrows(DeviceException.class, () -> bench.attention(GPT2, 8, one -> {}));
        }
    }
}
