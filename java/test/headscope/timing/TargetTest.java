package headscope.timing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Targets from measurements with known results. */
class TargetTest {
    private static final double GIB = 1L << 30;

    private static Measurement measurement(
            String shape, int tokens, String operation, String kernel, double seconds, double operations, double bytes) {
        return new Measurement(shape, tokens, "BF16", operation, kernel, 5, seconds, seconds, seconds, operations, 0,
                (long) bytes);
    }

    private static Measurement attention(int tokens, String operation, String kernel, double seconds, double operations) {
        return measurement("pythia-6.9b", tokens, operation, kernel, seconds, operations, 7.5 * GIB);
    }

    @Test
    void tableOfTargets() {
        List<Measurement> measured = List.of(
                attention(8192, "attention, observed", "attention_forward_bf16_d128", 0.002, 0.8e12),
                attention(8192, "attention, observed", "attention_columns_bf16_d128", 0.003, 0.6e12),
                attention(8192, "attention", "attention_forward_bf16_d128", 9, 1),
                attention(131_072, "statistics", "attention_statistics_bf16_d128", 0.3, 1),
                attention(131_072, "statistics", "attention_columns_bf16_d128", 0.2, 1),
                measurement("spectra", 32, "symmetric spectra", "symmetric_warp_f32", 0.001, 0, 0),
                measurement("spectra", 32, "symmetric spectra", "symmetric_eigenvalues_f32", 0.001, 0, 0),
                measurement("demo", 64, "forward pass", "all", 1, 0, 0),
                measurement("demo", 64, "forward pass, observed", "all", 9, 0, 0),
                measurement("demo", 128, "forward pass", "all", 2, 0, 0),
                measurement("demo", 128, "forward pass, observed", "all", 2.2, 0, 0));
        assertEquals("""
                | what | target | measured | |
                |---|---|---|---|
                | attention_forward with all statistics, T = 8,192 | at least 330 TFLOP/s | 400.0 TFLOP/s | reached by 21.2 % |
                | the same, speed relative to PyTorch's flash SDPA without statistics | at least 0.9 x | 0.7500 x | MISSED by 16.7 % |
                | attention_columns, T = 8,192 | at least 300 TFLOP/s | 200.0 TFLOP/s | MISSED by 33.3 % |
                | attention_statistics, 32 layers of 32 heads, T = 131,072 | at most 20 s | 16.00 s | reached by 20.0 % |
                | the same, memory beyond q, k, v and the output | at most 2 GiB | 1.500 GiB | reached by 25.0 % |
                | speed relative to eager attention with stored maps, T = 8,192 | at least 20 x | 22.00 x | reached by 10.0 % |
                | 1,024 symmetric spectra with their maps, n = 32, speed relative to torch.linalg.eigvalsh | at least 2 x | 4.000 x | reached by 100.0 % |
                | 1,024 symmetric spectra with their maps, n = 128, speed relative to torch.linalg.eigvalsh | at least 2 x | not measured | |
                | 1,024 symmetric spectra with their maps, n = 512, speed relative to torch.linalg.eigvalsh | at least 1 x | not measured | |
                | model forward pass with all statistics, time relative to one without | at most 1.25 x | 1.100 x | reached by 12.0 % |
                """, Target.table(Target.of(measured, Map.of("flash", 1.5, "eager", 110.0, "eigvalsh 32", 8.0))));
    }

    @Test
    void missingMeasurements() {
        List<Target> targets = Target.of(List.of(), Map.of("flash", 1.5));
        assertTrue(targets.stream().noneMatch(Target::isReached));
        assertTrue(targets.stream().allMatch(target -> target.measured().isEmpty()));
    }
}
