package headscope.cli;

import headscope.analysis.InputException;
import headscope.backend.Backend;
import headscope.timing.Bench;
import headscope.timing.BenchFile;
import headscope.timing.Measurement;
import headscope.timing.Shape;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How fast this device is. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = "Times attention and what is observed of it, on random operands of one layer of published models."
                + " A device that computes something else than the CPU is not timed.",
        footer = {
            "", "Examples:",
            "  ./headscope bench --shape gpt2 --tokens 512,2048",
            "  ./headscope bench --device cuda --dtype bf16 --shape llama-3.1-8b --tokens 8192,131072 --json new.json",
            "  ./headscope bench --shape gpt2 --tokens 512 --compare old.json"
        })
final class BenchCommand implements Callable<Integer> {
    @Mixin
    DeviceOptions device;

    @Option(names = "--shape", defaultValue = "llama-3.1-8b", paramLabel = "LIST",
            description = "Of gpt2, pythia-6.9b, llama-3.1-8b, llama-3.1-70b, qwen3-32b, gemma-2-27b, gpt-oss-120b"
                    + " (default: ${DEFAULT-VALUE}).")
    String shapes;

    @Option(names = "--tokens", paramLabel = "LIST",
            description = "Lengths of the text (default: 2048,8192,32768,131072; on the CPU 512,2048).")
    String tokens;

    @Option(names = "--json", paramLabel = "FILE", description = "Also write every measurement there.")
    Path json;

    @Option(names = "--compare", paramLabel = "FILE",
            description = "A file of an earlier --json: prints how times changed; exit status 1 where one grew by more"
                    + " than its noise.")
    Path compare;

    @Override
    public Integer call() {
        List<Shape> chosen = Shape.parseList(shapes);
        Optional<BenchFile> earlier = Optional.ofNullable(compare).map(BenchFile::read);
        List<Measurement> all = new ArrayList<>();
        BenchFile file;
        try (Backend timed = device.open(); Backend cpu = Backend.open("cpu:1"); Bench bench = new Bench(timed, cpu)) {
            System.out.printf("%s; at best %.4g TFLOP/s in a product, %.4g GB/s in a copy%n%n", timed.describe(),
                    bench.ceilings().teraflops(), bench.ceilings().gigabytesPerSecond());
            System.out.printf("%-14s %7s %-20s %-30s %10s %6s %9s %5s %8s %5s %10s%n", "shape", "tokens", "operation",
                    "kernel", "ms", "+-", "TFLOP/s", "", "GB/s", "", "peak MiB");
            for (Shape shape : chosen) {
                for (int length : lengths(timed)) {
                    all.addAll(bench.run(shape, length, one -> print(one, bench)));
                }
            }
            file = new BenchFile(HeadscopeCommand.version(), timed.describe(),
                    Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(), bench.ceilings(), all);
        }
        if (json != null) {
            file.write(json);
        }
        return earlier.map(before -> changes(file.since(before))).orElse(0);
    }

    private List<Integer> lengths(Backend timed) {
        String list = tokens != null ? tokens : timed.describe().startsWith("cpu") ? "512,2048" : "2048,8192,32768,131072";
        try {
            List<Integer> lengths = Arrays.stream(list.split(",")).map(String::strip).map(Integer::valueOf).toList();
            if (lengths.stream().allMatch(length -> length >= 1)) {
                return lengths;
            }
        } catch (NumberFormatException notNumbers) {
            // said below
        }
        throw new InputException("--tokens must be whole numbers from 1 on, separated by commas, not \"%s\"".formatted(list));
    }

    private static void print(Measurement one, Bench bench) {
        System.out.printf("%-14s %7d %-20s %-30s %10.3f %5.1f%% %9.4g %4.0f%% %8.4g %4.0f%% %10.1f%n",
                one.shape(), one.tokens(), one.operation(), one.kernel(), 1e3 * one.median(), 100 * one.noise(),
                one.teraflops(), 100 * one.teraflops() / bench.ceilings().teraflops(), one.gigabytesPerSecond(),
                100 * one.gigabytesPerSecond() / bench.ceilings().gigabytesPerSecond(),
                one.peakBytes() / (double) (1 << 20));
    }

    private static int changes(List<BenchFile.Change> changes) {
        System.out.printf("%n%-90s %8s %8s%n", "since the earlier file", "time x", "noise");
        for (BenchFile.Change change : changes) {
            System.out.printf("%-90s %8.3f %7.1f%%%s%n", change.name(), change.ratio(), 100 * change.noise(),
                    change.isRegression() ? "  SLOWER" : "");
        }
        return changes.stream().anyMatch(BenchFile.Change::isRegression) ? 1 : 0;
    }
}
