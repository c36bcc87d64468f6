package headscope.cli;

import headscope.analysis.RunRequest;
import headscope.analysis.spectra.Match;
import headscope.analysis.spectra.SpectraRequest;
import headscope.metric.Metric;
import headscope.model.Sampler;
import java.util.stream.Collectors;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Option;

/** Options of {@code spectra}. */
final class SpectraOptions {
    @Option(names = "--texts", required = true, paramLabel = "FILE",
            description = "JSON lines, each {\"prompt\", \"answer\"} (the model answers the prompt; a list of answers accepts"
                    + " each of them) or {\"text\", \"label\": 0|1} (the model reads the text); - reads standard input.")
    String texts;

    @Option(names = "--k", paramLabel = "N",
            description = "Number of largest eigenvalues kept per head and text (default: ${DEFAULT-VALUE}).")
    int k = SpectraRequest.K;

    @Option(names = "--per-sample", paramLabel = "mean|pooled",
            description = "How the k eigenvalues of a text enter the test. mean: their mean, one value per text."
                    + " pooled: every eigenvalue as a value of its own; these depend on each other, so p is too small"
                    + " (default: ${DEFAULT-VALUE}).")
    SpectraRequest.PerSample perSample = SpectraRequest.PerSample.MEAN;

    @Option(names = "--max-new-tokens", paramLabel = "N",
            description = "Maximum number of new tokens per answer (default: ${DEFAULT-VALUE}).")
    int maxNewTokens = SpectraRequest.MAX_NEW_TOKENS;

    @Option(names = "--match", paramLabel = "exact|normalised|contains",
            description = "When an answer counts as right. exact: equal to an expected one. normalised: equal apart from"
                    + " case, white space, quotation marks, brackets and the punctuation of sentences; signs, decimal"
                    + " points, currencies, percent and comparisons count. contains: contains an expected one as whole"
                    + " words, likewise normalised (default: ${DEFAULT-VALUE}).")
    Match match = Match.NORMALISED;

    @Option(names = "--stop", showDefaultValue = Visibility.NEVER, paramLabel = "STRING",
            description = "String that ends an answer; white space before an answer does not count (default: a newline).")
    String stop = SpectraRequest.STOP;

    @Option(names = "--temperature", paramLabel = "X",
            description = "Sampling temperature; 0 selects the most probable token (default: ${DEFAULT-VALUE}).")
    double temperature = Sampler.GREEDY.temperature();

    @Option(names = "--top-p", paramLabel = "X",
            description = "Sample from the smallest set of most probable tokens whose total probability reaches X"
                    + " (default: ${DEFAULT-VALUE}).")
    double topP = Sampler.GREEDY.topP();

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
                    + " O(T^3) time per head: fiedler_value, largest_eigenvalue, spectral_entropy.")
    String metrics = SpectraRequest.METRICS.stream().map(Metric::key).collect(Collectors.joining(", "));

    @Option(names = "--mark-significant", description = "Mark heads with q < 0.05 with a dot.")
    boolean markSignificant;

    SpectraRequest request(RunRequest run) {
        return new SpectraRequest(
                run, texts, k, perSample, maxNewTokens, match, stop, new Sampler(temperature, topP), seed, limit,
                shortTexts == Short.SKIP, SpectraRequest.metrics(k, Metric.parseList(metrics, k)), markSignificant);
    }
}
