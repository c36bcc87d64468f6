package headscope.timing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.backend.Backend;
import headscope.backend.DeviceException;
import headscope.backend.InstrumentedBackend;
import java.util.ArrayList;
import java.util.List;
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
