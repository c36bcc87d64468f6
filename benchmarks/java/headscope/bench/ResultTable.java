package headscope.bench;

import java.util.Collection;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.util.Statistics;

/** Results as a Markdown table: median, minimum and maximum over iterations, and the rate. */
final class ResultTable {
    /** Work of one call; {@code unit} is that of the rate, such as GFLOP/s. */
    private record Work(double amount, String unit) {}

    private ResultTable() {}

    static String of(Collection<RunResult> results) {
        OptionalDouble peak = results.stream()
                .filter(result -> name(result).startsWith("Sgemm"))
                .mapToDouble(ResultTable::rate)
                .findFirst();
        StringBuilder table = new StringBuilder("""
                | benchmark | median ms | minimum to maximum | rate | of sgemm's peak | heap per call, KiB | peak memory, MiB |
                |---|--:|--:|--:|--:|--:|--:|
                """);
        for (RunResult result : results) {
            Statistics times = result.getPrimaryResult().getStatistics();
            Work work = work(result.getParams());
            String share = peak.isPresent() && work.unit().equals("GFLOP/s")
                    ? "%.0f %%".formatted(100 * rate(result) / peak.getAsDouble()) : "";
            table.append(String.format(Locale.ROOT, "| %s | %.2f | %.2f to %.2f | %.1f %s | %s | %.0f | %.0f |%n",
                    name(result), median(result), times.getMin(), times.getMax(), rate(result), work.unit(), share,
                    secondary(result, "gc.alloc.rate.norm") / 1024, secondary(result, PeakMemory.RESULT)));
        }
        return table + percentiles(results) + shareOfStatistics(results);
    }

    /** The slowest calls, of benchmarks that time each of them. */
    private static String percentiles(Collection<RunResult> results) {
        return results.stream()
                .filter(result -> result.getParams().getMode() == Mode.SampleTime)
                .map(result -> String.format(Locale.ROOT,
                        "%n%s: median %.2f ms, 95th percentile %.2f ms, 99th percentile %.2f ms of %d calls.%n",
                        name(result), median(result), result.getPrimaryResult().getStatistics().getPercentile(95),
                        result.getPrimaryResult().getStatistics().getPercentile(99),
                        result.getPrimaryResult().getStatistics().getN()))
                .collect(Collectors.joining());
    }

    /** The share of a forward pass that statistics take; empty unless both variants ran. */
    private static String shareOfStatistics(Collection<RunResult> results) {
        OptionalDouble with = forward(results, true);
        OptionalDouble without = forward(results, false);
        return with.isEmpty() || without.isEmpty() ? "" : String.format(Locale.ROOT,
                "%nStatistics take %.1f %% of a forward pass.%n",
                100 * (1 - without.getAsDouble() / with.getAsDouble()));
    }

    private static OptionalDouble forward(Collection<RunResult> results, boolean observed) {
        return results.stream()
                .filter(result -> name(result).equals("ForwardBenchmark.forward observed=" + observed))
                .mapToDouble(ResultTable::median)
                .findFirst();
    }

    private static String name(RunResult result) {
        BenchmarkParams params = result.getParams();
        String parameters = params.getParamsKeys().stream()
                .map(key -> " " + key + "=" + params.getParam(key))
                .collect(Collectors.joining());
        return params.getBenchmark().replaceFirst(".*\\.(\\w+\\.\\w+)$", "$1") + parameters;
    }

    private static double median(RunResult result) {
        return result.getPrimaryResult().getStatistics().getPercentile(50);
    }

    private static double rate(RunResult result) {
        return work(result.getParams()).amount() / (median(result) / 1e3);
    }

    private static Work work(BenchmarkParams params) {
        return switch (params.getBenchmark().replaceFirst(".*\\.(\\w+)\\.\\w+$", "$1")) {
            case "AttentionStatisticsBenchmark" -> new Work(
                    AttentionStatisticsBenchmark.operations(Integer.parseInt(params.getParam("tokens"))) / 1e9,
                    "GFLOP/s");
            case "SgemmBenchmark" -> new Work(
                    SgemmBenchmark.operations(Integer.parseInt(params.getParam("size"))) / 1e9, "GFLOP/s");
            case "ForwardBenchmark" -> new Work(ForwardBenchmark.TOKENS, "tokens/s");
            case "SpectrumBenchmark" -> new Work(SpectrumBenchmark.HEADS, "heads/s");
            case "GatesBenchmark" -> new Work(Integer.parseInt(params.getParam("masks")), "updates/s");
            case "FrameBenchmark", "ScreenBenchmark" -> new Work(1, "frames/s");
            default -> new Work(1, "calls/s");
        };
    }

    private static double secondary(RunResult result, String name) {
        Result<?> found = result.getSecondaryResults().get(name);
        return found == null ? Double.NaN : found.getScore();
    }
}
