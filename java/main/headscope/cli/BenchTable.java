package headscope.cli;

import headscope.timing.BenchFile;
import headscope.timing.Ceilings;
import headscope.timing.Measurement;
import headscope.timing.Throughput;
import java.util.List;

/** What {@code bench} prints: one line per measurement. */
final class BenchTable {
    private final Ceilings ceilings;

    BenchTable(Ceilings ceilings) {
        this.ceilings = ceilings;
    }

    void header(String device) {
        System.out.printf("%s; peak %.4g TFLOP/s in a matrix product, %.4g GB/s in a copy%n%n", device,
                ceilings.teraflops(), ceilings.gigabytesPerSecond());
        System.out.printf("%-14s %7s %-29s %-30s %10s %6s %9s %5s %8s %5s %10s%n", "shape", "tokens", "operation",
                "kernel", "ms", "+-", "TFLOP/s", "", "GB/s", "", "peak MiB");
    }

    void print(Measurement one) {
        System.out.printf("%-14s %7d %-29s %-30s %10.3f %5.1f%% %s %s %10.1f%n", one.shape(), one.tokens(), one.operation(),
                one.kernel(), 1e3 * one.median(), 100 * one.noise(), teraflops(one), gigabytes(one),
                one.peakBytes() / (double) (1 << 20));
    }

    void print(Throughput one) {
        Measurement time = one.time();
        System.out.printf("%-14s %7d %-60s %10.3f %5.1f%% %,14.0f tokens/s%s%n", time.shape(), time.tokens(), time.operation(),
                1e3 * time.median(), 100 * time.noise(), one.tokensPerSecond(),
                time.bytes() == 0 ? "" : gigabytes(time) + " of a copy");
    }

    /**
     * The kernels of a pass.
     *
     * @param kernels the longest first
     */
    void profile(String pass, List<Measurement> kernels) {
        double total = kernels.stream().mapToDouble(Measurement::median).sum();
        System.out.printf("%n%s, kernel by kernel: %.3f ms%n", pass, 1e3 * total);
        System.out.printf("%-32s %-32s %10s %6s %9s %5s %8s%n", "operation", "kernel", "ms", "share", "TFLOP/s", "", "GB/s");
        for (Measurement one : kernels) {
            System.out.printf("%-32s %-32s %10.4f %5.1f%% %s %s%n", one.operation().replaceFirst("^[^:]*: ", ""), one.kernel(),
                    1e3 * one.median(), 100 * one.median() / total, teraflops(one), gigabytes(one));
        }
    }

    void overhead(Measurement without, Measurement with) {
        System.out.printf("%-14s %7d all statistics: %.3f times the time without statistics%n", with.shape(), with.tokens(),
                with.median() / without.median());
    }

    /** Returns the exit status: 1 if a time grew by more than its noise. */
    static int changes(List<BenchFile.Change> changes) {
        System.out.printf("%n%-90s %8s %8s%n", "compared with the earlier file", "time x", "noise");
        for (BenchFile.Change change : changes) {
            System.out.printf("%-90s %8.3f %7.1f%%%s%n", change.name(), change.ratio(), 100 * change.noise(),
                    change.isRegression() ? "  SLOWER" : "");
        }
        return changes.stream().anyMatch(BenchFile.Change::isRegression) ? 1 : 0;
    }

    private String teraflops(Measurement one) {
        return rate(one.operations(), "%9.4g %4.0f%%", one.teraflops(), ceilings.teraflops());
    }

    private String gigabytes(Measurement one) {
        return rate(one.bytes(), "%8.4g %4.0f%%", one.gigabytesPerSecond(), ceilings.gigabytesPerSecond());
    }

    /** A rate and its share of the ceiling; blank if the work is not known. */
    private static String rate(double work, String format, double rate, double ceiling) {
        String text = format.formatted(rate, 100 * rate / ceiling);
        return work == 0 ? " ".repeat(text.length()) : text;
    }
}
