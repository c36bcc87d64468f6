package headscope.timing;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * A performance target for a data-centre GPU in bf16 on causal attention with 32 heads of width 128, and its measured
 * value.
 *
 * @param atMost   whether the target is an upper bound instead of a lower bound
 * @param measured empty if it was not measured or there is nothing to compare with
 */
public record Target(String what, boolean atMost, double required, String unit, OptionalDouble measured) {
    private static final String SHAPE = "pythia-6.9b";
    private static final int TOKENS = 8192;
    private static final int LONG_TOKENS = 131_072;
    private static final int LAYERS = 32;
    private static final double GIB = 1L << 30;
    /** Operands of one layer of {@link #SHAPE}: q and out in fp32, k and v in bf16. */
    private static final double OPERAND_BYTES = (double) LONG_TOKENS * 32 * 128 * (4 + 4 + 2 + 2);

    /**
     * Evaluates all targets.
     *
     * @param torch milliseconds of the same work in PyTorch, by the names of benchmarks/gpu/torch_times.py; may be
     *              incomplete
     */
    public static List<Target> of(List<Measurement> measured, Map<String, Double> torch) {
        List<Measurement> forward = attention(measured, TOKENS, "attention, observed", "attention_forward");
        List<Measurement> columns = attention(measured, TOKENS, "attention, observed", "attention_columns");
        List<Measurement> observed = attention(measured, TOKENS, "attention, observed", "");
        List<Measurement> statistics = attention(measured, LONG_TOKENS, "statistics", "");
        List<Target> targets = new ArrayList<>(List.of(
                new Target("attention_forward with all statistics, T = 8,192", false, 330, "TFLOP/s", teraflops(forward)),
                new Target("the same, speed relative to PyTorch's flash SDPA without statistics", false, 0.9, "x",
                        ratio(torch.get("flash"), forward)),
                new Target("attention_columns, T = 8,192", false, 300, "TFLOP/s", teraflops(columns)),
                new Target("attention_statistics, 32 layers of 32 heads, T = 131,072", true, 20, "s",
                        seconds(statistics, LAYERS)),
                new Target("the same, memory beyond q, k, v and the output", true, 2, "GiB", statistics.isEmpty()
                        ? OptionalDouble.empty()
                        : OptionalDouble.of((statistics.getFirst().peakBytes() - OPERAND_BYTES) / GIB)),
                new Target("speed relative to eager attention with stored maps, T = 8,192", false, 20, "x",
                        ratio(torch.get("eager"), observed))));
        Map.of(32, 2.0, 128, 2.0, 512, 1.0).entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(target ->
                targets.add(new Target("1,024 symmetric spectra with their maps, n = %d, speed relative to torch.linalg.eigvalsh"
                        .formatted(target.getKey()), false, target.getValue(), "x",
                        ratio(torch.get("eigvalsh " + target.getKey()), spectra(measured, target.getKey())))));
        targets.add(new Target("model forward pass with all statistics, time relative to one without", true, 1.25, "x",
                overhead(measured)));
        return targets;
    }

    private static List<Measurement> attention(List<Measurement> all, int tokens, String operation, String kernel) {
        return all.stream()
                .filter(one -> one.shape().equals(SHAPE) && one.dtype().equals("BF16") && one.tokens() == tokens
                        && one.operation().equals(operation) && one.kernel().startsWith(kernel))
                .toList();
    }

    private static List<Measurement> spectra(List<Measurement> all, int tokens) {
        return all.stream().filter(one -> one.shape().equals(Bench.SPECTRA) && one.tokens() == tokens).toList();
    }

    /** For the longest text; empty if no model was timed. */
    private static OptionalDouble overhead(List<Measurement> all) {
        int longest = named(all, Bench.OBSERVED_FORWARD).mapToInt(Measurement::tokens).max().orElse(0);
        double with = named(all, Bench.OBSERVED_FORWARD).filter(one -> one.tokens() == longest)
                .mapToDouble(Measurement::median).sum();
        double without = named(all, Bench.FORWARD).filter(one -> one.tokens() == longest)
                .mapToDouble(Measurement::median).sum();
        return with > 0 && without > 0 ? OptionalDouble.of(with / without) : OptionalDouble.empty();
    }

    private static Stream<Measurement> named(List<Measurement> all, String operation) {
        return all.stream().filter(one -> one.operation().equals(operation));
    }

    private static OptionalDouble seconds(List<Measurement> kernels, int times) {
        double sum = kernels.stream().mapToDouble(Measurement::median).sum();
        return kernels.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(times * sum);
    }

    private static OptionalDouble teraflops(List<Measurement> kernels) {
        double operations = kernels.stream().mapToDouble(Measurement::operations).sum();
        return seconds(kernels, 1).stream().map(seconds -> operations / seconds / 1e12).findAny();
    }

    private static OptionalDouble ratio(Double milliseconds, List<Measurement> kernels) {
        return milliseconds == null
                ? OptionalDouble.empty()
                : seconds(kernels, 1).stream().map(seconds -> milliseconds / 1e3 / seconds).findAny();
    }

    public boolean isReached() {
        return measured.isPresent() && (atMost ? measured.getAsDouble() <= required : measured.getAsDouble() >= required);
    }

    /** One line per target, as Markdown. */
    public static String table(List<Target> targets) {
        StringBuilder table = new StringBuilder("| what | target | measured | |\n|---|---|---|---|\n");
        targets.forEach(target -> table.append(target.row()));
        return table.toString();
    }

    private String row() {
        String bound = "%s %s %s".formatted(atMost ? "at most" : "at least", plain(required), unit);
        if (measured.isEmpty()) {
            return "| %s | %s | not measured | |\n".formatted(what, bound);
        }
        double percent = 100 * Math.abs(measured.getAsDouble() / required - 1);
        return String.format(Locale.ROOT, "| %s | %s | %.4g %s | %s by %.1f %% |\n", what, bound,
                measured.getAsDouble(), unit, isReached() ? "reached" : "MISSED", percent);
    }

    private static String plain(double number) {
        return BigDecimal.valueOf(number).stripTrailingZeros().toPlainString();
    }
}
