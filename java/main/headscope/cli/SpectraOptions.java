package headscope.cli;

import static headscope.analysis.InputException.rejecting;
import static headscope.analysis.InputException.require;

import headscope.analysis.RunRequest;
import headscope.analysis.spectra.CapturedRequest;
import headscope.analysis.spectra.RetestRequest;
import headscope.analysis.spectra.SpectraRequest;
import headscope.backend.DeviceChoice;
import headscope.metric.Metric;
import java.nio.file.Path;
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
            "--verbose", "--from", "--labels", "--label-names", "--k", "--per-sample", "--metrics", "--mark-significant", "--no-probes", "--seed",
            "--out", "--overwrite");

    /** Options that --captured takes besides. */
    private static final Set<String> WITH_CAPTURED = Set.of("--captured", "--device", "--dtype", "--check", "--short");

    @Option(names = "--texts", paramLabel = "FILE",
            description = "JSON lines, a JSON array or CSV of {\"prompt\", \"answer\"} (the model answers the prompt; a list"
                    + " of answers accepts each of them), {\"prompt\", \"choices\", \"answer\"} (it chooses the most probable"
                    + " one) or {\"text\", \"label\": 0|1} (it reads the text). A label beside a prompt takes precedence over"
                    + " grading; \"generated\" is an answer to read, as headscope answer writes it. - reads standard input.")
    String texts;

    @Option(names = "--from", paramLabel = "RUN",
            description = "Test and draw the stored values of a finished spectra run again, without its model. Takes"
                    + " --labels, --label-names, --k (up to the stored one), --per-sample, --metrics, --mark-significant, --no-probes,"
                    + " --seed, --out and --overwrite.")
    Optional<Path> from = Optional.empty();

    @Option(names = "--captured", paramLabel = "FILE", arity = "1..*",
            description = "Analyse queries and keys of a PyTorch model, one file of headscope_tap.save per text, without a"
                    + " model folder. The label of a text is that of its file, or comes from --labels, whose ids are file"
                    + " names. Takes the options of --from, --device, --dtype, --check and --short.")
    List<Path> captured = List.of();

    @Option(names = "--labels", paramLabel = "FILE",
            description = "With --from or --captured: other labels, as CSV with the columns index or id, and label (an edited samples.csv,"
                    + " for example), or as JSON of {\"index\" or \"id\", \"label\": 0|1}. Texts without a label"
                    + " are not tested.")
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
    int limit;

    enum Short {
        FAIL,
        SKIP
    }

    @Option(names = "--short", paramLabel = "fail|skip",
            description = "Reject texts with fewer than k tokens, or skip and count them (default: ${DEFAULT-VALUE}).")
    Short shortTexts = Short.FAIL;

    @Option(names = "--metrics", paramLabel = "LIST",
            description = "Further metrics to store in values.safetensors (default: ${DEFAULT-VALUE}). Also available, at"
                    + " O(T^3) time per head: fiedler_value, largest_eigenvalue, spectral_entropy."
                    + " With --from: the stored metrics to test and draw (default: attention_score, laplacian).")
    String metrics = SpectraRequest.METRICS.stream().map(Metric::key).collect(Collectors.joining(", "));

    @Option(names = "--mark-significant", description = "Mark heads with q < 0.05 with a dot.")
    boolean markSignificant;

    @Option(names = "--no-probes", description = "Do not fit the probes.")
    boolean noProbes;

    SpectraRequest request(RunRequest run) {
        require(labels.isEmpty(), "--labels gives stored values other labels and needs --from RUN or --captured FILE");
        require(texts != null, "--texts is missing: give a file of texts, or --from RUN to test stored values");
        return new SpectraRequest(
                run, texts, k, perSample, answering.answering(seed), limit, shortTexts == Short.SKIP, SpectraRequest.metrics(k, rejecting(() -> Metric.parseList(metrics, k))), markSignificant, !noProbes);
    }

    /** @param parsed tells which options were given */
    RetestRequest retest(ParseResult parsed, Path out, boolean overwrite, String command) {
        requireOnly(parsed, WITH_FROM, "--from tests stored values; %s has no effect on them: leave it out");
        requireNamesOfLabels();
        return new RetestRequest(
                from.orElseThrow(), labels, answering.labelNames(), out, overwrite, command,
                parsed.hasMatchedOption("--k") ? OptionalInt.of(k) : OptionalInt.empty(),
                parsed.hasMatchedOption("--per-sample") ? Optional.of(perSample) : Optional.empty(),
                parsed.hasMatchedOption("--metrics")
                        ? Optional.of(rejecting(() -> Metric.parseList(metrics, k)).stream().map(Metric::key).distinct().toList())
                        : Optional.empty(),
                markSignificant, !noProbes,
                parsed.hasMatchedOption("--seed") ? OptionalLong.of(seed) : OptionalLong.empty());
    }

    /** @param parsed tells which options were given */
    CapturedRequest captured(ParseResult parsed, DeviceChoice device, Path out, boolean overwrite, String command) {
        require(from.isEmpty(), "--captured and --from exclude each other: give one of them");
        requireOnly(parsed, Stream.concat(WITH_FROM.stream(), WITH_CAPTURED.stream()).collect(Collectors.toSet()),
                "--captured analyses queries and keys that a tap has saved; %s has no effect on them: leave it out");
        requireNamesOfLabels();
        return new CapturedRequest(
                captured, labels, answering.labelNames(), device, out, overwrite, command, shortTexts == Short.SKIP,
                SpectraRequest.metrics(k, rejecting(() -> Metric.parseList(metrics, k))), k, perSample, markSignificant,
                !noProbes, seed);
    }

    private void requireNamesOfLabels() {
        require(labels.isPresent() || answering.labelNames.isEmpty(),
                "--label-names names the labels in --labels FILE, which is missing");
    }

    private static void requireOnly(ParseResult parsed, Set<String> allowed, String message) {
        parsed.matchedOptions().stream()
                .map(option -> option.longestName())
                .filter(name -> !allowed.contains(name))
                .findFirst()
                .ifPresent(name -> require(false, message.formatted(name)));
    }
}
