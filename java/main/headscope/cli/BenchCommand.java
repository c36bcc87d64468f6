package headscope.cli;

import headscope.analysis.InputException;
import headscope.backend.Backend;
import headscope.backend.DeviceMemoryException;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.Transformer;
import headscope.tensor.AtomicFile;
import headscope.timing.Bench;
import headscope.timing.BenchFile;
import headscope.timing.Measurement;
import headscope.timing.Shape;
import headscope.timing.Target;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures the speed of a device. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        description = {
            "Times attention, its statistics, spectra and models.",
            "Attention and its statistics run on random operands with the shape of one layer of published models. A"
                    + " device whose results differ from the CPU's is not timed."
        },
        footer = {
            "", "Examples:",
            "  ./headscope bench --shape gpt2 --tokens 512,2048",
            "  ./headscope bench --device cuda --dtype bf16 --shape llama-3.1-8b \\",
            "      --tokens 8192 --json new.json",
            "  ./headscope bench --shape gpt2 --tokens 512 --compare old.json",
            "  ./headscope bench --spectra 32,128",
            "  ./headscope bench --model models/demo"
        })
final class BenchCommand implements Callable<Integer> {
    private static final String DEFAULT_SHAPE = "llama-3.1-8b";
    private static final String CPU_TOKENS = "512,2048";
    private static final String GPU_TOKENS = "2048,8192,32768,131072";

    @Mixin
    DeviceOptions device;

    @Option(names = "--shape", paramLabel = "LIST",
            description = "Shapes of layers: gpt2, pythia-6.9b, llama-3.1-8b, llama-3.1-70b, qwen3-32b, gemma-2-27b, gpt-oss-120b"
                    + " (default: " + DEFAULT_SHAPE + ", or none with --spectra or --model).")
    Optional<String> shapes;

    @Option(names = "--tokens", paramLabel = "LIST",
            description = "Numbers of tokens (default: " + GPU_TOKENS + " on a GPU, " + CPU_TOKENS + " on the CPU).")
    Optional<String> tokens;

    @Option(names = "--spectra", paramLabel = "LIST",
            description = "Also time the symmetrised spectra of 1,024 heads at these numbers of tokens.")
    Optional<String> spectra;

    @Option(names = "--model", paramLabel = "DIR",
            description = "Also time this model's forward pass, without statistics and with all of them, at numbers of tokens up to"
                    + " the model's maximum.")
    Optional<Path> model;

    @Option(names = "--json", paramLabel = "FILE", description = "Also write every measurement to this file.")
    Optional<Path> json;

    @Option(names = "--compare", paramLabel = "FILE",
            description = "File written by an earlier --json: print how the times changed. The exit status is 1 if a time grew"
                    + " by more than its noise.")
    Optional<Path> compare;

    @Option(names = "--targets", paramLabel = "FILE",
            description = "Also write the targets for a GPU and the measured values to this file, as a Markdown table.")
    Optional<Path> targets;

    @Option(names = "--torch", paramLabel = "FILE",
            description = "Output of benchmarks/gpu/torch_times.py, for --targets.")
    Optional<Path> torch;

    @Override
    public Integer call() throws IOException {
        List<Shape> chosen = shapes.map(list -> InputException.rejecting(() -> Shape.parseList(list))).orElseGet(
                () -> spectra.isEmpty() && model.isEmpty() ? Shape.parseList(DEFAULT_SHAPE) : List.of());
        List<Integer> spectraTokens = spectra.map(list -> tokenCounts("--spectra", list)).orElse(List.of());
        if (spectraTokens.stream().anyMatch(count -> count > Metric.Symmetric.MAX_TOKENS)) {
            throw new InputException("--spectra takes at most %d tokens".formatted(Metric.Symmetric.MAX_TOKENS));
        }
        Optional<BenchFile> earlier = compare.map(path -> InputException.rejecting(() -> BenchFile.read(path)));
        Map<String, Double> torchTimes = torch.map(path -> InputException.rejecting(() -> BenchFile.readTorch(path))).orElse(Map.of());
        BenchFile file;
        try (Backend timed = device.open(); Backend cpu = Backend.open("cpu:1"); Bench bench = new Bench(timed, cpu)) {
            List<Integer> textTokens = tokenCounts("--tokens",
                    tokens.orElse(timed.isGpu() ? GPU_TOKENS : CPU_TOKENS));
            printHeader(timed, bench);
            file = new BenchFile(HeadscopeCommand.version(), timed.describe(),
                    Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(), bench.ceilings(),
                    measure(timed, bench, chosen, textTokens, spectraTokens));
        }
        if (json.isPresent()) {
            AtomicFile.write(json.get(), file.text());
        }
        if (targets.isPresent()) {
            AtomicFile.write(targets.get(), Target.table(Target.of(file.measurements(), torchTimes)));
        }
        return earlier.map(before -> changes(InputException.rejecting(() -> file.since(before)))).orElse(0);
    }

    private List<Measurement> measure(
            Backend timed, Bench bench, List<Shape> chosen, List<Integer> textTokens, List<Integer> spectraTokens) {
        Consumer<Measurement> show = measurement -> print(measurement, bench);
        List<Measurement> all = new ArrayList<>();
        for (Shape shape : chosen) {
            for (int count : textTokens) {
                all.addAll(ifItFits(shape.name(), count, () -> bench.attention(shape, count, show)));
            }
        }
        for (int count : spectraTokens) {
            all.addAll(ifItFits("spectra", count, () -> bench.spectra(count, show)));
        }
        model.ifPresent(folder -> all.addAll(measureModel(folder, timed, bench, textTokens, show)));
        return all;
    }

    /** Numbers of tokens above the model's maximum are replaced by that maximum. */
    private static List<Measurement> measureModel(
            Path folder, Backend timed, Bench bench, List<Integer> textTokens, Consumer<Measurement> show) {
        List<Measurement> all = new ArrayList<>();
        try (Checkpoint checkpoint = Checkpoint.open(folder); Transformer loaded = new Transformer(checkpoint, timed)) {
            int maxTokens = loaded.config().maxTokens();
            String name = folder.toAbsolutePath().normalize().getFileName().toString();
            for (int count : textTokens.stream().map(count -> Math.min(count, maxTokens)).distinct().toList()) {
                List<Measurement> both =
                        ifItFits(name, count, () -> bench.model(name, loaded, count, show));
                if (!both.isEmpty()) {
                    System.out.printf("%-14s %7d all statistics: %.3f times the time without statistics%n", name, count,
                            both.getLast().median() / both.getFirst().median());
                }
                all.addAll(both);
            }
        }
        return all;
    }

    /** Prints a line and returns no measurements if the device has too little memory. */
    private static List<Measurement> ifItFits(String name, int tokens, Supplier<List<Measurement>> timing) {
        try {
            return timing.get();
        } catch (DeviceMemoryException tooLarge) {
            System.out.printf("%-14s %7d out of memory: %s%n", name, tokens, tooLarge.getMessage());
            return List.of();
        }
    }

    private static List<Integer> tokenCounts(String option, String list) {
        try {
            List<Integer> counts = Arrays.stream(list.split(",")).map(String::strip).map(Integer::valueOf).toList();
            if (counts.stream().allMatch(count -> count >= 1)) {
                return counts;
            }
        } catch (NumberFormatException notNumbers) {
            // reported below
        }
        throw new InputException(
                "%s must be positive integers, separated by commas, not \"%s\"".formatted(option, list));
    }

    private static void printHeader(Backend timed, Bench bench) {
        System.out.printf("%s; peak %.4g TFLOP/s in a matrix product, %.4g GB/s in a copy%n%n", timed.describe(),
                bench.ceilings().teraflops(), bench.ceilings().gigabytesPerSecond());
        System.out.printf("%-14s %7s %-22s %-30s %10s %6s %9s %5s %8s %5s %10s%n", "shape", "tokens", "operation",
                "kernel", "ms", "+-", "TFLOP/s", "", "GB/s", "", "peak MiB");
    }

    private static void print(Measurement one, Bench bench) {
        System.out.printf("%-14s %7d %-22s %-30s %10.3f %5.1f%% %9.4g %4.0f%% %8.4g %4.0f%% %10.1f%n",
                one.shape(), one.tokens(), one.operation(), one.kernel(), 1e3 * one.median(), 100 * one.noise(),
                one.teraflops(), 100 * one.teraflops() / bench.ceilings().teraflops(), one.gigabytesPerSecond(),
                100 * one.gigabytesPerSecond() / bench.ceilings().gigabytesPerSecond(),
                one.peakBytes() / (double) (1 << 20));
    }

    private static int changes(List<BenchFile.Change> changes) {
        System.out.printf("%n%-90s %8s %8s%n", "compared with the earlier file", "time x", "noise");
        for (BenchFile.Change change : changes) {
            System.out.printf("%-90s %8.3f %7.1f%%%s%n", change.name(), change.ratio(), 100 * change.noise(),
                    change.isRegression() ? "  SLOWER" : "");
        }
        return changes.stream().anyMatch(BenchFile.Change::isRegression) ? 1 : 0;
    }
}
