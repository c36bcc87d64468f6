package headscope.timing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Targets from measurements with known results. */
class TargetsTest {
    private static final double GIB = 1L << 30;
    private static final double OPERANDS = 131_072.0 * 2 * 128 * (32 + 32 + 8 + 8);
    private static final String LLAMA = "random-llama-1b";

    private static Measurement measurement(
            String shape, int tokens, String operation, String kernel, double seconds, double operations, double bytes) {
        return new Measurement(shape, tokens, "BF16", operation, kernel, 5, seconds, seconds, seconds, operations, bytes,
                (long) (OPERANDS + 1.5 * GIB));
    }

    private static Measurement attention(int tokens, String operation, String kernel, double seconds, double operations) {
        return measurement("llama-3.1-8b", tokens, operation, kernel, seconds, operations, 1.5e9);
    }

    private static Measurement model(int tokens, String operation, double seconds, double bytes) {
        return measurement(LLAMA, tokens, operation, "wall clock", seconds, 0, bytes);
    }

    private static BenchFile file(List<Measurement> measurements) {
        return new BenchFile("headscope", "a device", "2026-01-01T00:00:00Z", new Ceilings(700, 2000), measurements);
    }

    private static final List<Measurement> MEASURED = List.of(
            attention(2048, "attention, observed", "attention_forward_bf16_d128", 0.0001, 0.5e11),
            attention(8192, "attention, observed", "attention_forward_bf16_d128", 0.001, 0.56e12),
            attention(8192, "attention, observed", "attention_columns_bf16_d128", 0.001, 0.26e12),
            attention(8192, "attention", "attention_forward_bf16_d128", 9, 1),
            attention(8192, "gradient, observed", "attention_query_gradient_bf16_d128", 0.002, 1),
            attention(8192, "gradient, observed", "attention_key_gradient_bf16_d128", 0.003, 1),
            attention(131_072, "statistics", "attention_statistics_bf16_d128", 0.15, 1),
            attention(131_072, "statistics", "attention_columns_bf16_d128", 0.1, 1),
            attention(32_768, "decoding, observed", "attention_decode_bf16_d128", 0.0008, 1),
            attention(32_768, "decoding, observed", "attention_merge_f32", 0.0002, 1),
            measurement("spectra", 32, "symmetric spectra", "symmetric_rows32_f32", 0.001, 0, 0),
            measurement("spectra", 32, "symmetric spectra", "symmetric_eigenvalues_f32", 0.001, 0, 0),
            model(0, "reading the weights", 1.5, 2e9),
            model(512, "prefill, 1 text", 0.003, 0),
            model(8192, "prefill, 1 text", 0.05, 0),
            model(8192, "prefill, 1 text, observed", 0.054, 0),
            model(8192, "forward pass", 9, 0),
            model(128, "decoding, 1 text, observed", 0.002, 2e9),
            model(128, "decoding, 1 text", 9, 0),
            measurement("demo", 24, "gates, one update of 64 texts", "wall clock", 0.01, 0, 0));

    @Test
    void tableOfTargets() {
        Map<String, Double> peers = Map.of("cudnn 8192", 0.9, "flash backward 8192", 5.0, "eager 8192", 80.0, "XsyevBatched 32", 8.0,
                "sdpa 8192", 40.0, "sdpa 64 x 128", 10.0, "generate 1", 12.0, "spectra, first text", 3000.0);
        assertEquals("""
                | what | target | measured | |
                |---|---|---|---|
                | attention with all row statistics, T = 2,048: speed relative to cuDNN without statistics | at least 0.9 x | not measured | |
                | attention with all row statistics, T = 8,192: speed relative to cuDNN without statistics | at least 0.95 x | 0.9000 x | MISSED by 5.3 % |
                | attention with all row statistics, T = 8,192 | at least 560 TFLOP/s | 560.0 TFLOP/s | reached by 0.0 % |
                | attention with all row statistics, T = 16,384: speed relative to cuDNN without statistics | at least 0.95 x | not measured | |
                | attention with all row statistics, T = 16,384 | at least 560 TFLOP/s | not measured | |
                | the same with heads of width 64, T = 8,192 | at least 400 TFLOP/s | not measured | |
                | column sums, T = 8,192 | at least 520 TFLOP/s | 260.0 TFLOP/s | MISSED by 50.0 % |
                | column sums, heads of width 64, T = 8,192 | at least 330 TFLOP/s | not measured | |
                | row statistics from q and k, T = 8,192 | at least 500 TFLOP/s | not measured | |
                | all statistics of 32 layers of 32 heads, T = 131,072 | at most 10 s | 8.000 s | reached by 20.0 % |
                | the same, memory beyond q, k, v and the output | at most 2 GiB | 1.500 GiB | reached by 25.0 % |
                | attention with all statistics, T = 8,192: speed relative to maps stored by PyTorch | at least 20 x | 40.00 x | reached by 100.0 % |
                | backward pass of attention with saliency, T = 2,048: time relative to FlashAttention 2 | at most 1.25 x | not measured | |
                | backward pass of attention with saliency, T = 2,048: time relative to FlashAttention 2 | at most 0.8 x | not measured | |
                | backward pass of attention with saliency, T = 8,192: time relative to FlashAttention 2 | at most 1.25 x | 1.000 x | reached by 20.0 % |
                | backward pass of attention with saliency, T = 8,192: time relative to FlashAttention 2 | at most 0.8 x | 1.000 x | MISSED by 25.0 % |
                | symmetric spectra with their maps, n = 32: speed relative to cuSOLVER's XsyevBatched | at least 5 x | 4.000 x | MISSED by 20.0 % |
                | symmetric spectra with their maps, n = 128: speed relative to cuSOLVER's XsyevBatched | at least 5 x | not measured | |
                | symmetric spectra with their maps, n = 512: speed relative to cuSOLVER's XsyevBatched | at least 5 x | not measured | |
                | symmetric spectra with their maps, n = 1,024: speed relative to cuSOLVER's XsyevBatched | at least 5 x | not measured | |
                | forward pass of 1 B parameters, T = 8,192: time relative to transformers with sdpa | at most 1 x | 1.250 x | MISSED by 25.0 % |
                | the same with all statistics: time relative to without | at most 1.1 x | 1.080 x | reached by 1.8 % |
                | forward pass of 1 B parameters, T = 512 | at most 4 ms | 3.000 ms | reached by 25.0 % |
                | 64 texts of 128 tokens: speed relative to a padded batch of transformers with sdpa | at least 2 x | not measured | |
                | gates of the demo model, 64 texts of 24 tokens | at least 190 updates/s | 100.0 updates/s | MISSED by 47.4 % |
                | start of spectra to the first text, beyond reading the weights | at most 2 s | 1.500 s | reached by 25.0 % |
                | attention of one decoded token with all statistics, T = 32,768: share of a copy's rate | at least 75 % | 75.00 % | reached by 0.0 % |
                | decoding 1 text with all statistics: speed relative to transformers' generate | at least 5 x | 6.000 x | reached by 20.0 % |
                | decoding 64 texts with all statistics: speed relative to transformers' generate | at least 10 x | not measured | |
                | the same: share of the speed at which a copy reads weights and cache once per step | at least 60 % | not measured | |
                """, Target.table(Targets.of(file(MEASURED), peers)));
    }

    /** Every target is measured once, by the names that the scripts of benchmarks/gpu give the peers. */
    @Test
    void everyTargetCanBeMeasured() {
        List<Measurement> all = new ArrayList<>(MEASURED);
        for (int tokens : new int[] {2048, 8192, 16_384}) {
            all.add(attention(tokens, "statistics", "attention_statistics_bf16_d128", 1, 1));
            all.add(attention(tokens, "attention, observed", "attention_forward_bf16_d128", 1, 1));
            all.add(attention(tokens, "gradient, observed", "attention_key_gradient_bf16_d128", 1, 1));
        }
        for (String kernel : List.of("attention_forward", "attention_columns")) {
            all.add(measurement("llama-3.2-1b", 8192, "attention, observed", kernel, 1, 1, 1));
        }
        Stream.of(128, 512, 1024).forEach(n -> all.add(measurement("spectra", n, "symmetric spectra", "symmetric", 1, 1, 1)));
        all.add(model(128, "prefill, 64 texts", 1, 1));
        all.add(model(128, "decoding, 64 texts, observed", 1, 1));
        Map<String, Double> peers = new HashMap<>();
        Stream.of("cudnn 2048", "cudnn 8192", "cudnn 16384", "flash backward 2048", "flash backward 8192", "eager 8192",
                "XsyevBatched 32", "XsyevBatched 128", "XsyevBatched 512", "XsyevBatched 1024", "sdpa 8192", "sdpa 64 x 128",
                "generate 1", "generate 64", "spectra, first text").forEach(name -> peers.put(name, 1.0));
        assertEquals(List.of(), Targets.of(file(all), peers).stream()
                .filter(target -> target.measured().isEmpty()).map(Target::what).toList());
    }

    /** Measurements on a CPU, which computes in f32, do not count. */
    @Test
    void otherMeasurementsDoNotCount() {
        List<Measurement> f32 = MEASURED.stream().map(one -> new Measurement(one.shape(), one.tokens(), "F32", one.operation(),
                one.kernel(), one.runs(), one.median(), one.fastest(), one.slowest(), one.operations(), one.bytes(),
                one.peakBytes())).toList();
        List<Target> targets = Targets.of(file(f32), Map.of("eager 8192", 1.5));
        assertTrue(targets.stream().allMatch(target -> target.measured().isEmpty() && !target.isReached()));
    }
}
