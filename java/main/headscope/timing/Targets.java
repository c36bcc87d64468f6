package headscope.timing;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;

/**
 * The targets for an NVIDIA H100 in bf16. Attention is causal, with 32 query and 8 key/value heads. Values that were measured
 * with another type, shape or length do not count.
 */
public final class Targets {
    private static final String WIDTH_128 = "llama-3.1-8b";
    private static final String WIDTH_64 = "llama-3.2-1b";

    /** Names of the folders of the random model that benchmarks/gpu/measure makes, and of the demo's. */
    private static final String MODEL = "random-llama-1b";
    private static final String DEMO = "demo";

    private static final String FORWARD = "attention, observed";
    private static final String FORWARD_KERNEL = "attention_forward";
    private static final int TOKENS = 8192;
    private static final int LONG_TOKENS = 131_072;
    private static final int DECODED_TOKENS = 32_768;
    private static final int LAYERS = 32;
    private static final int TEXTS = 64;
    private static final double GIB = 1L << 30;

    /** Of the demo model with 64 texts of 18 tokens, on two cores: benchmarks/results/2026-11-25-cpu.md. */
    private static final double CPU_GATES = 3.8;

    private final BenchFile file;
    private final Map<String, Double> peers;

    private Targets(BenchFile file, Map<String, Double> peers) {
        this.file = file;
        this.peers = peers;
    }

    /**
     * Evaluates all targets.
     *
     * @param peers milliseconds that other programs took, by the names that the scripts of benchmarks/gpu give them; may be
     *              incomplete
     */
    public static List<Target> of(BenchFile file, Map<String, Double> peers) {
        Targets targets = new Targets(file, peers);
        List<Target> all = new ArrayList<>();
        targets.addAttention(all);
        targets.addGradients(all);
        targets.addSpectra(all);
        targets.addModel(all);
        targets.addDecoding(all);
        return List.copyOf(all);
    }

    private void addAttention(List<Target> all) {
        Map.of(2048, 0.9, TOKENS, 0.95, 16_384, 0.95).entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(one -> {
            int tokens = one.getKey();
            String what = "attention with all row statistics, T = %,d".formatted(tokens);
            List<Measurement> forward = kernels(WIDTH_128, tokens, FORWARD, FORWARD_KERNEL);
            all.add(Target.atLeast(what + ": speed relative to cuDNN without statistics", one.getValue(), "x",
                    relative("cudnn " + tokens, forward)));
            if (tokens >= TOKENS) {
                all.add(Target.atLeast(what, 560, "TFLOP/s", teraflops(forward)));
            }
        });
        all.add(Target.atLeast("the same with heads of width 64, T = 8,192", 400, "TFLOP/s",
                teraflops(kernels(WIDTH_64, TOKENS, FORWARD, FORWARD_KERNEL))));
        all.add(Target.atLeast("column sums, T = 8,192", 520, "TFLOP/s",
                teraflops(kernels(WIDTH_128, TOKENS, FORWARD, "attention_columns"))));
        all.add(Target.atLeast("column sums, heads of width 64, T = 8,192", 330, "TFLOP/s",
                teraflops(kernels(WIDTH_64, TOKENS, FORWARD, "attention_columns"))));
        all.add(Target.atLeast("row statistics from q and k, T = 8,192", 500, "TFLOP/s",
                teraflops(kernels(WIDTH_128, TOKENS, "statistics", "attention_statistics"))));
        List<Measurement> statistics = kernels(WIDTH_128, LONG_TOKENS, "statistics", "");
        all.add(Target.atMost("all statistics of 32 layers of 32 heads, T = 131,072", 10, "s",
                scaled(statistics, LAYERS)));
        all.add(Target.atMost("the same, memory beyond q, k, v and the output", 2, "GiB",
                value(statistics, measured -> (measured.getFirst().peakBytes() - operands(LONG_TOKENS)) / GIB)));
        all.add(Target.atLeast("attention with all statistics, T = 8,192: speed relative to maps stored by PyTorch", 20, "x",
                relative("eager 8192", kernels(WIDTH_128, TOKENS, FORWARD, ""))));
    }

    private void addGradients(List<Target> all) {
        for (int tokens : new int[] {2048, TOKENS}) {
            OptionalDouble time = timeRelativeTo("flash backward " + tokens,
                    kernels(WIDTH_128, tokens, "gradient, observed", ""));
            for (double bound : new double[] {1.25, 0.8}) {
                all.add(Target.atMost("backward pass of attention with saliency, T = %,d: time relative to FlashAttention 2"
                        .formatted(tokens), bound, "x", time));
            }
        }
    }

    private void addSpectra(List<Target> all) {
        for (int tokens : new int[] {32, 128, 512, 1024}) {
            List<Measurement> spectra = kernels(Bench.SPECTRA, tokens, Bench.SYMMETRIC, "");
            all.add(Target.atLeast("symmetric spectra with their maps, n = %,d: speed relative to cuSOLVER's XsyevBatched"
                    .formatted(tokens), 5, "x", relative("XsyevBatched " + tokens, spectra)));
        }
    }

    private void addModel(List<Target> all) {
        List<Measurement> plain = wallClock(MODEL, TOKENS, ModelBench.prefilling(1, false));
        List<Measurement> observed = wallClock(MODEL, TOKENS, ModelBench.prefilling(1, true));
        all.add(Target.atMost("forward pass of 1 B parameters, T = 8,192: time relative to transformers with sdpa", 1, "x",
                timeRelativeTo("sdpa 8192", plain)));
        all.add(Target.atMost("the same with all statistics: time relative to without", 1.1, "x",
                plain.isEmpty() ? OptionalDouble.empty() : value(observed, with -> seconds(with) / seconds(plain))));
        all.add(Target.atMost("forward pass of 1 B parameters, T = 512", 4, "ms",
                scaled(wallClock(MODEL, 512, ModelBench.prefilling(1, false)), 1e3)));
        all.add(Target.atLeast("64 texts of 128 tokens: speed relative to a padded batch of transformers with sdpa", 2, "x",
                relative("sdpa 64 x 128", wallClock(MODEL, ModelBench.TEXT_TOKENS, ModelBench.prefilling(TEXTS, false)))));
        all.add(Target.atLeast("gates of the demo model, 64 texts of 24 tokens", 50 * CPU_GATES, "updates/s",
                value(wallClock(DEMO, 24, ModelBench.GATES), update -> 1 / seconds(update))));
        Double start = peers.get("spectra, first text");
        all.add(Target.atMost("start of spectra to the first text, beyond reading the weights", 2, "s",
                start == null
                        ? OptionalDouble.empty()
                        : value(wallClock(MODEL, 0, ModelBench.READING), reading -> start / 1e3 - seconds(reading))));
    }

    private void addDecoding(List<Target> all) {
        double copy = file.ceilings().gigabytesPerSecond();
        all.add(Target.atLeast("attention of one decoded token with all statistics, T = 32,768: share of a copy's rate", 75, "%",
                value(kernels(WIDTH_128, DECODED_TOKENS, "decoding, observed", ""),
                        kernels -> 100 * bytes(kernels) / seconds(kernels) / 1e9 / copy)));
        for (int texts : new int[] {1, TEXTS}) {
            List<Measurement> step = wallClock(MODEL, ModelBench.TEXT_TOKENS, ModelBench.decodingOf(texts, true));
            String what = texts == 1 ? "decoding 1 text" : "decoding %d texts".formatted(texts);
            all.add(Target.atLeast(what + " with all statistics: speed relative to transformers' generate", texts == 1 ? 5 : 10, "x",
                    relative("generate " + texts, step)));
            if (texts == TEXTS) {
                all.add(Target.atLeast("the same: share of the speed at which a copy reads weights and cache once per step", 60, "%",
                        value(step, steps -> 100 * bytes(steps) / seconds(steps) / 1e9 / copy)));
            }
        }
    }

    /** Bytes of q, the output, k and v, for one layer of {@link #WIDTH_128}. */
    private static double operands(int tokens) {
        return tokens * 2.0 * 128 * (32 + 32 + 8 + 8);
    }

    private List<Measurement> kernels(String shape, int tokens, String operation, String kernel) {
        return file.measurements().stream()
                .filter(one -> one.shape().equals(shape) && one.dtype().equals("BF16") && one.tokens() == tokens
                        && one.operation().equals(operation) && one.kernel().startsWith(kernel))
                .toList();
    }

    private List<Measurement> wallClock(String shape, int tokens, String operation) {
        return kernels(shape, tokens, operation, Work.WALL_CLOCK);
    }

    private static double seconds(List<Measurement> kernels) {
        return kernels.stream().mapToDouble(Measurement::median).sum();
    }

    /** Bytes that a measurement's kernels transfer together, each of which counts all of them. */
    private static double bytes(List<Measurement> kernels) {
        return kernels.stream().mapToDouble(Measurement::bytes).max().orElseThrow();
    }

    private static OptionalDouble value(List<Measurement> kernels, ToDoubleFunction<List<Measurement>> value) {
        return kernels.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(value.applyAsDouble(kernels));
    }

    private static OptionalDouble scaled(List<Measurement> kernels, double factor) {
        return value(kernels, all -> factor * seconds(all));
    }

    private static OptionalDouble teraflops(List<Measurement> kernels) {
        return value(kernels, all -> all.stream().mapToDouble(Measurement::operations).sum() / seconds(all) / 1e12);
    }

    /** A peer's time over the kernels' time. */
    private OptionalDouble relative(String peer, List<Measurement> kernels) {
        Double milliseconds = peers.get(peer);
        return milliseconds == null ? OptionalDouble.empty() : value(kernels, all -> milliseconds / 1e3 / seconds(all));
    }

    /** The kernels' time over a peer's time. */
    private OptionalDouble timeRelativeTo(String peer, List<Measurement> kernels) {
        Double milliseconds = peers.get(peer);
        return milliseconds == null ? OptionalDouble.empty() : value(kernels, all -> seconds(all) / (milliseconds / 1e3));
    }
}
