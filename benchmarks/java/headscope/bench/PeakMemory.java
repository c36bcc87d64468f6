package headscope.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.ScalarResult;

/**
 * Peak growth of resident memory within an iteration: Linux's VmHWM, reset at the start of the iteration, minus VmRSS at
 * the start. It includes the heap, memory outside the heap and the JIT compiler's memory, so it is an upper bound for
 * the calls.
 */
public final class PeakMemory implements InternalProfiler {
    static final String RESULT = "memory.peak";
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final Path CLEAR = Path.of("/proc/self/clear_refs");
    /** Resets VmHWM: see proc_pid_clear_refs(5). */
    private static final String PEAK = "5";

    private double before;

    @Override
    public String getDescription() {
        return "peak growth of resident memory within an iteration";
    }

    @Override
    public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
        System.gc();
        try {
            Files.writeString(CLEAR, PEAK);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        before = mebibytes("VmRSS:");
    }

    @Override
    public Collection<ScalarResult> afterIteration(
            BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
        return List.of(new ScalarResult(RESULT, mebibytes("VmHWM:") - before, "MiB", AggregationPolicy.MAX));
    }

    private static double mebibytes(String field) {
        try {
            return Files.readAllLines(STATUS).stream()
                    .filter(line -> line.startsWith(field))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                    .findFirst()
                    .orElseThrow() / 1024.0;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
