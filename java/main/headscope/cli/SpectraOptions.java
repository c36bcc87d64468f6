package headscope.cli;

import static headscope.analysis.InputException.rejecting;
import static headscope.analysis.InputException.require;

import headscope.analysis.HeadRanking;
import headscope.analysis.RunRequest;
import headscope.analysis.spectra.CapturedRequest;
import headscope.analysis.spectra.PerToken;
import headscope.analysis.spectra.RetestRequest;
import headscope.analysis.spectra.SpectraRequest;
import headscope.backend.DeviceChoice;
import headscope.cli.terminal.GivenOptions;
import headscope.metric.Metric;
import headscope.result.SpectraView;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;

/** Options of {@code spectra}. */
final class SpectraOptions {
    /** Options that --from takes. */
    private static final Set<String> WITH_FROM = Set.of(
            "--verbose", "--from", "--labels", "--label-names", "--k", "--per-sample", "--metrics", "--test", "--draw", "--show",
            "--mark-significant", "--threshold", "--no-probes", "--seed", "--top-heads", "--out", "--overwrite");

    /** Options that --captured takes besides. */
    private static final Set<String> WITH_CAPTURED = Set.of("--captured", "--device", "--dtype", "--check", "--short");

    @Option(names = "--texts", paramLabel = "FILE",
            description = "JSON lines, a JSON array or CSV of {\"prompt\", \"answer\"} (the model answers the prompt; a list"
                    + " of answers accepts each of them), {\"prompt\", \"choices\", \"answer\"} (it chooses the most probable"
                    + " one) or {\"text\", \"label\": 0|1} (it reads the text). A label beside a prompt takes precedence over"
                    + " grading; \"generated\" is an existing answer, as written by headscope answer. - reads standard input.")
    String texts;

    @Option(names = "--from", paramLabel = "RUN",
            description = "Test and draw the stored values of a finished spectra run again, without its model. Takes"
                    + " --labels, --label-names, --k (up to the stored one), --per-sample, --test (or --metrics, which then"
                    + " means the same), --draw, --show, --mark-significant, --threshold, --no-probes, --seed, --top, --out"
                    + " and --overwrite.")
    Optional<Path> from = Optional.empty();

    @Option(names = "--captured", paramLabel = "FILE", arity = "1..*",
            description = "Analyse captured queries and keys of a PyTorch model, without a model folder; one file per text,"
                    + " written by headscope_tap.save. A text's label is stored in its file or comes from --labels, whose"
                    + " ids are file names. Takes the options of --from, --device, --dtype, --check and --short.")
    List<Path> captured = List.of();

    @Option(names = "--labels", paramLabel = "FILE",
            description = "With --from or --captured: other labels, as CSV with the columns index or id, and label (an edited samples.csv,"
                    + " for example), or as JSON of {\"index\" or \"id\", \"label\": 0|1}. Texts without a label"
                    + " are left out of the test.")
    Optional<String> labels = Optional.empty();

    @Option(names = "--k", paramLabel = "N",
            description = "Number of largest eigenvalues kept per head and text (default: ${DEFAULT-VALUE}).")
    int k = SpectraRequest.K;

    @Option(names = "--per-sample", paramLabel = "mean|pooled",
            description = "How the k eigenvalues of a text enter the test. mean: their mean, one value per text."
                    + " pooled: every eigenvalue as a value of its own; these depend on each other, so p is too small"
                    + " (default: ${DEFAULT-VALUE}).")
    SpectraRequest.PerSample perSample = SpectraRequest.PerSample.MEAN;

    @Mixin
    AnsweringOptions answering = new AnsweringOptions();

    @Option(names = "--seed", paramLabel = "N",
            description = "Seed for sampling and for the folds of the probes (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(names = "--limit", showDefaultValue = Visibility.NEVER, paramLabel = "N",
            description = "Read only the first N texts (default: all).")
    Optional<Integer> limit = Optional.empty();

    enum Short {
        FAIL,
        SKIP
    }

    @Option(names = "--short", paramLabel = "fail|skip",
            description = "Reject texts with fewer than k tokens, or skip and count them (default: ${DEFAULT-VALUE}).")
    Short shortTexts = Short.FAIL;

    @Option(names = "--metrics", paramLabel = "LIST",
            description = "Further metrics to store in values.safetensors (default: ${DEFAULT-VALUE}). Also available, in"
                    + " time cubic in the number of tokens: fiedler_value, largest_eigenvalue, spectral_entropy.")
    String metrics = SpectraRequest.METRICS.stream().map(Metric::key).collect(Collectors.joining(", "));

    @Option(names = "--test", paramLabel = "METRIC,...",
            description = "Metrics to test for a difference between the two groups of texts, in every head; heads.csv contains p,"
                    + " q, the effect, the AUROC and the means of both groups. Tested metrics are also stored (default:"
                    + " attention_score,laplacian).")
    Optional<String> test = Optional.empty();

    @Mixin
    SpectraViewOptions view = new SpectraViewOptions();

    @Option(names = "--no-probes", description = "Do not fit the probes.")
    boolean noProbes;

    @Option(names = "--per-token", paramLabel = "METRIC,...",
            description = "Also write values of every token, for the heads of --heads, to tokens.safetensors and tokens.csv:"
                    + " attention_score (log a_ii), laplacian (in the order of the tokens), attention_eigenvalues, entropy,"
                    + " normalised_entropy, mean_distance, previous_token, self_attention, confidence, column_sum (the"
                    + " attention that the token receives).")
    Optional<String> perToken = Optional.empty();

    @Option(names = "--heads", paramLabel = "L.H,...|all",
            description = "Heads of --per-token; layer and head counted from 0, as in heads.csv.")
    Optional<String> heads = Optional.empty();

    @Option(names = {"--top", "--top-heads"}, paramLabel = "N",
            description = "Print the N heads with the smallest p of each tested metric; 0 prints none (default:"
                    + " ${DEFAULT-VALUE}).")
    int top = HeadRanking.TOP;

    SpectraRequest request(RunRequest run) {
        HeadRanking.requireCount("--top", top);
        require(labels.isEmpty(), "--labels gives stored values other labels and needs --from RUN or --captured FILE");
        require(texts != null, "--texts is missing: give a file of texts, or --from RUN to test stored values");
        return new SpectraRequest(
                run, texts, k, perSample, answering.answering(seed), RunOptions.limit(limit), shortTexts == Short.SKIP, measured(), tested(test),
                view(test), !noProbes, PerToken.parse(perToken, heads));
    }

    /** @param parsed tells which options were given */
    RetestRequest retest(ParseResult parsed, Path out, boolean overwrite, String command) {
        requireOnly(parsed, WITH_FROM, "--from tests stored values; %s has no effect on them: leave it out");
        requireNamesOfLabels();
        HeadRanking.requireCount("--top", top);
        boolean byMetrics = parsed.hasMatchedOption("--metrics");
        require(!byMetrics || test.isEmpty(), "--from: --metrics and --test mean the same; give --test only");
        Optional<String> chosen = byMetrics ? Optional.of(metrics) : test;
        return new RetestRequest(
                from.orElseThrow(), labels, answering.labelNames(), out, overwrite, command,
                parsed.hasMatchedOption("--k") ? OptionalInt.of(k) : OptionalInt.empty(),
                parsed.hasMatchedOption("--per-sample") ? Optional.of(perSample) : Optional.empty(),
                tested(chosen), view(chosen), !noProbes,
                parsed.hasMatchedOption("--seed") ? OptionalLong.of(seed) : OptionalLong.empty());
    }

    /** @param parsed tells which options were given */
    CapturedRequest captured(ParseResult parsed, DeviceChoice device, Path out, boolean overwrite, String command) {
        HeadRanking.requireCount("--top", top);
        require(from.isEmpty(), "--captured and --from exclude each other: give one of them");
        requireOnly(parsed, Stream.concat(WITH_FROM.stream(), WITH_CAPTURED.stream()).collect(Collectors.toSet()),
                "--captured analyses queries and keys that a tap has saved; %s has no effect on them: leave it out");
        requireNamesOfLabels();
        return new CapturedRequest(
                captured, labels, answering.labelNames(), device, out, overwrite, command, shortTexts == Short.SKIP,
                measured(), k, perSample, tested(test), view(test), !noProbes, seed);
    }

    /** What is measured: what the analysis needs, then --metrics, then what is tested. */
    private List<Metric> measured() {
        List<Metric> others = new ArrayList<>(rejecting("--metrics", () -> Metric.parseList(metrics, k)));
        tested(test).forEach(key -> others.add(Metric.parse(key, k)));
        return SpectraRequest.metrics(k, others);
    }

    /** The keys of the chosen metrics, then of those that are drawn besides. */
    private List<String> tested(Optional<String> chosen) {
        return Stream.concat(chosen(chosen).stream(), view(chosen).drawn().stream()).distinct().toList();
    }

    private static List<String> chosen(Optional<String> metrics) {
        return metrics.map(names -> SpectraViewOptions.keys("--test", names)).orElse(SpectraView.PUBLISHED.drawn());
    }

    private SpectraView view(Optional<String> chosen) {
        SpectraView published = SpectraView.PUBLISHED;
        return view.over(new SpectraView(chosen(chosen), published.shown(), published.marked(), published.threshold()));
    }

    private void requireNamesOfLabels() {
        require(labels.isPresent() || answering.labelNames.isEmpty(),
                "--label-names names the labels in --labels FILE, which is missing");
    }

    private static void requireOnly(ParseResult parsed, Set<String> allowed, String message) {
        GivenOptions.refuse(parsed, option -> !allowed.contains(option.longestName()), message::formatted);
    }
}
