package headscope.cli;

import static headscope.analysis.InputException.require;

import headscope.analysis.InputException;
import headscope.backend.Backend;
import headscope.backend.DeviceMemoryException;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.Transformer;
import headscope.render.FigureFormat;
import headscope.render.layout.FigureSize;
import headscope.tensor.AtomicFile;
import headscope.timing.Bench;
import headscope.timing.BenchFile;
import headscope.timing.Measurement;
import headscope.timing.ModelBench;
import headscope.timing.Shape;
import headscope.timing.Target;
import headscope.timing.Targets;
import headscope.timing.Throughput;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import java.util.stream.Stream;
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
            "  ./headscope bench --model models/demo --chart roofline.png"
        })
final class BenchCommand implements Callable<Integer> {
    private static final String DEFAULT_SHAPE = "llama-3.1-8b";
    private static final String CPU_TOKENS = "512,2048";
    private static final String GPU_TOKENS = "2048,8192,32768,131072";

    @Mixin
    DeviceOptions device;

    @Option(names = "--shape", paramLabel = "LIST",
            description = "Shapes of layers: gpt2, pythia-6.9b, llama-3.2-1b, llama-3.1-8b, llama-3.1-70b, qwen3-32b,"
                    + " gemma-2-27b, gpt-oss-120b (default: " + DEFAULT_SHAPE + ", or none with --spectra or --model).")
    Optional<String> shapes;

    @Option(names = "--tokens", paramLabel = "LIST",
            description = "Numbers of tokens (default: " + GPU_TOKENS + " on a GPU, " + CPU_TOKENS + " on the CPU).")
    Optional<String> tokens;

    @Option(names = "--spectra", paramLabel = "LIST",
            description = "Also time the symmetrised spectra of 1,024 heads (from 1,024 tokens on, of 128 heads) at these"
                    + " numbers of tokens.")
    Optional<String> spectra;

    @Option(names = "--model", paramLabel = "DIR",
            description = "Also time this model, without statistics and with all of them: its forward pass at numbers of tokens up"
                    + " to the model's maximum, as a whole and kernel by kernel, and tokens per second of reading and decoding.")
    Optional<Path> model;

    @Option(names = "--batches", paramLabel = "LIST",
            description = "Numbers of texts that --model reads at once, of 128 tokens each (default: ${DEFAULT-VALUE}).")
    String batches = "1,8,64";

    @Option(names = "--json", paramLabel = "FILE", description = "Also write every measurement to this file.")
    Optional<Path> json;

    @Option(names = "--compare", paramLabel = "FILE",
            description = "File written by an earlier --json: print how the times changed. The exit status is 1 if a time grew"
                    + " by more than its noise.")
    Optional<Path> compare;

    @Option(names = "--add", paramLabel = "FILE",
            description = "File written by an earlier --json on the same device: --json and --targets also contain its"
                    + " measurements, except those that this run repeats.")
    Optional<Path> add;

    @Option(names = "--targets", paramLabel = "FILE",
            description = "Also write the targets for an H100 and the measured values to this file, as a Markdown table.")
    Optional<Path> targets;

    @Option(names = "--peers", paramLabel = "FILE",
            description = "Times of other programs, written by the scripts of benchmarks/gpu, for --targets. May be repeated.")
    List<Path> peers = List.of();

    @Option(names = "--chart", paramLabel = "FILE",
            description = "Draw the kernels of --model's forward pass, .png or .svg: their rates under the device's ceilings,"
                    + " and their shares of the time.")
    Optional<Path> chart;

    @Override
    public Integer call() throws IOException {
        List<Shape> chosen = shapes.map(list -> InputException.rejecting(() -> Shape.parseList(list))).orElseGet(
                () -> spectra.isEmpty() && model.isEmpty() ? Shape.parseList(DEFAULT_SHAPE) : List.of());
        List<Integer> spectraTokens = spectra.map(list -> counts("--spectra", list)).orElse(List.of());
        require(spectraTokens.stream().allMatch(count -> count <= Metric.Symmetric.MAX_TOKENS),
                "--spectra takes at most %d tokens".formatted(Metric.Symmetric.MAX_TOKENS));
        List<Integer> texts = counts("--batches", batches);
        Optional<BenchFile> before = compare.map(BenchCommand::read);
        Optional<BenchFile> earlier = add.map(BenchCommand::read);
        Map<String, Double> peerTimes = new TreeMap<>();
        peers.forEach(path -> peerTimes.putAll(InputException.rejecting(() -> BenchFile.readPeers(path))));
        Stream.of(json, targets, chart).flatMap(Optional::stream).forEach(AtomicFile::requireWritable);
        model.ifPresent(folder -> Checkpoint.open(folder).close()); // a folder that is no model is refused before anything else
        SequencedMap<String, List<Measurement>> passes = new LinkedHashMap<>();
        BenchFile file;
        try (PictureFiles pictures = new PictureFiles()) {
            requireChart(pictures);
            try (Backend timed = model.isPresent() ? device.openForAny() : device.open();
                    Backend cpu = Backend.open("cpu:1");
                    Bench bench = bench(timed, cpu)) {
                List<Integer> textTokens = counts("--tokens", tokens.orElse(timed.isGpu() ? GPU_TOKENS : CPU_TOKENS));
                BenchTable table = new BenchTable(bench.ceilings());
                table.header(timed.describe());
                List<Measurement> measured = attention(bench, table, chosen, textTokens, spectraTokens);
                model.ifPresent(folder -> measured.addAll(model(folder, bench, table, textTokens, texts, passes)));
                file = new BenchFile(HeadscopeCommand.version(), timed.describe(),
                        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(), bench.ceilings(), measured);
            }
            chart.ifPresent(path -> drawn(pictures, path, file, passes));
        }
        BenchFile all = earlier.map(other -> InputException.rejecting(() -> file.with(other))).orElse(file);
        if (json.isPresent()) {
            AtomicFile.write(json.get(), all.text());
        }
        if (targets.isPresent()) {
            AtomicFile.write(targets.get(), Target.table(Targets.of(all, peerTimes)));
        }
        return before.map(old -> BenchTable.changes(InputException.rejecting(() -> file.since(old)))).orElse(0);
    }

    /** Refuses a model that the device cannot take, before anything is timed. */
    private Bench bench(Backend timed, Backend cpu) {
        if (model.isPresent()) {
            try (Checkpoint checkpoint = Checkpoint.open(model.get())) {
                Transformer.require(checkpoint, timed);
            }
        }
        return new Bench(timed, cpu);
    }

    private static BenchFile read(Path path) {
        return InputException.rejecting(() -> BenchFile.read(path));
    }

    /** Refuses a chart that cannot be drawn, before anything is measured. */
    private void requireChart(PictureFiles pictures) {
        chart.ifPresent(path -> {
            require(model.isPresent(), "--chart draws the forward pass of a model; give --model as well");
            if (InputException.rejecting(() -> FigureFormat.of(path)) == FigureFormat.PNG) {
                pictures.open();
            }
        });
    }

    private static List<Measurement> attention(
            Bench bench, BenchTable table, List<Shape> chosen, List<Integer> textTokens, List<Integer> spectraTokens) {
        List<Measurement> all = new ArrayList<>();
        for (Shape shape : chosen) {
            for (int count : textTokens) {
                all.addAll(ifItFits(shape.name(), count, () -> bench.attention(shape, count, table::print)));
            }
        }
        for (int count : spectraTokens) {
            all.addAll(ifItFits("spectra", count, () -> bench.spectra(count, table::print)));
        }
        return all;
    }

    /**
     * Numbers of tokens above the model's maximum are replaced by that maximum.
     *
     * @param passes receives the kernels of each profiled pass
     */
    private static List<Measurement> model(Path folder, Bench bench, BenchTable table, List<Integer> textTokens,
            List<Integer> batches, SequencedMap<String, List<Measurement>> passes) {
        List<Measurement> all = new ArrayList<>();
        String name = folder.toAbsolutePath().normalize().getFileName().toString();
        try (ModelBench timed = open(folder, name, bench)) {
            List<Integer> lengths =
                    textTokens.stream().map(count -> Math.min(count, timed.maxTokens())).distinct().sorted().toList();
            table.print(timed.reading());
            all.add(timed.reading());
            int longest = 0;
            for (int count : lengths) {
                List<Measurement> both = ifItFits(name, count, () -> timed.forward(count));
                both.forEach(table::print);
                all.addAll(both);
                if (!both.isEmpty()) {
                    table.overhead(both.getFirst(), both.getLast());
                    longest = count;
                }
            }
            System.out.println();
            for (int count : lengths) {
                all.addAll(throughput(table, name, count, () -> timed.prefill(1, count)));
            }
            int text = timed.textTokens();
            for (int texts : batches) {
                if (texts > 1 || !lengths.contains(text)) {
                    all.addAll(throughput(table, name, text, () -> timed.prefill(texts, text)));
                }
            }
            for (int texts : batches) {
                all.addAll(throughput(table, name, text, () -> timed.decoding(texts)));
            }
            List<Measurement> gates = ifItFits(name, text, timed::gates);
            gates.forEach(table::print);
            all.addAll(gates);
            int profiled = longest;
            all.addAll(longest == 0 ? List.of() : ifItFits(name, profiled, () -> profiled(timed, table, profiled, passes)));
        }
        return all;
    }

    private static ModelBench open(Path folder, String name, Bench bench) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            return bench.open(name, checkpoint);
        }
    }

    private static List<Measurement> throughput(BenchTable table, String name, int count, Supplier<List<Throughput>> timing) {
        return ifItFits(name, count, () -> {
            List<Throughput> measured = timing.get();
            measured.forEach(table::print);
            return measured.stream().map(Throughput::time).toList();
        });
    }

    private static List<Measurement> profiled(
            ModelBench timed, BenchTable table, int count, SequencedMap<String, List<Measurement>> passes) {
        passes.putAll(timed.profile(count));
        passes.forEach(table::profile);
        return passes.values().stream().flatMap(List::stream).toList();
    }

    private static void drawn(PictureFiles pictures, Path path, BenchFile file, SequencedMap<String, List<Measurement>> passes) {
        require(!passes.isEmpty(), path + ": not drawn: no pass of the model fits in memory");
        pictures.write(BenchChart.of(file, passes), path, FigureSize.of(FigureSize.DEFAULT_DPI), Map.of("Software", file.program()));
        System.out.println(path);
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

    private static List<Integer> counts(String option, String list) {
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
}
