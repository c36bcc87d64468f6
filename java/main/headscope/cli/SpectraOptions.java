package headscope.cli;

import headscope.analysis.spectra.SpectraRequest;
import headscope.metric.Metric;
import headscope.model.Sampler;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What `spectra` takes on the command line. */
final class SpectraOptions {
    @Mixin
    RunOptions run;

    @Option(names = "--texts", required = true, paramLabel = "FILE",
            description = "JSON lines, each {\"prompt\", \"answer\"} (the model answers) or {\"text\", \"label\": 0|1}"
                    + " (read as it stands); - reads standard input.")
    String texts;

    @Option(names = "--k", defaultValue = "10", paramLabel = "N",
            description = "Largest eigenvalues kept per head and text (default: ${DEFAULT-VALUE}).")
    int k;

    @Option(names = "--per-sample", defaultValue = "mean",
            description = "How a text's k eigenvalues enter the test: their mean, one value per text, or pooled, every"
                    + " value on its own, whose p-values are too small (default: ${DEFAULT-VALUE}).",
            paramLabel = "mean|pooled")
    SpectraRequest.PerSample perSample;

    @Option(names = "--max-new-tokens", defaultValue = "16", paramLabel = "N",
            description = "Longest answer (default: ${DEFAULT-VALUE}).")
    int maxNewTokens;

    @Option(names = "--stop", defaultValue = "\n", showDefaultValue = picocli.CommandLine.Help.Visibility.NEVER,
            paramLabel = "STRING", description = "Ends an answer (default: a newline).")
    String stop;

    @Option(names = "--temperature", defaultValue = "0", paramLabel = "X",
            description = "0 takes the likeliest token, above 0 draws (default: ${DEFAULT-VALUE}).")
    double temperature;

    @Option(names = "--top-p", defaultValue = "1", paramLabel = "X",
            description = "Draw from the likeliest tokens that reach this probability (default: ${DEFAULT-VALUE}).")
    double topP;

    @Option(names = "--seed", defaultValue = "0", paramLabel = "N",
            description = "Of drawing and of the probes' folds (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(names = "--limit", defaultValue = "0", showDefaultValue = picocli.CommandLine.Help.Visibility.NEVER,
            paramLabel = "N", description = "Only the first N texts (default: all).")
    int limit;

    enum Short {
        SKIP,
        FAIL
    }

    @Option(names = "--short", defaultValue = "fail", paramLabel = "skip|fail",
            description = "Texts with fewer than k tokens: leave out and count, or refuse (default: ${DEFAULT-VALUE}).")
    Short shortTexts;

    @Option(names = "--metrics", paramLabel = "LIST",
            defaultValue = "entropy,normalised_entropy,sink_share,mean_distance,previous_token,self_attention,confidence",
            description = "Also kept per head in values.safetensors (default: ${DEFAULT-VALUE};"
                    + " also fiedler_value, largest_eigenvalue, spectral_entropy, which cost T^3 per head).")
    String metrics;

    @Option(names = "--mark-significant", description = "A dot on heads with q < 0.05.")
    boolean markSignificant;

    /** @param command as it was typed */
    SpectraRequest request(List<String> command) {
        return new SpectraRequest(
                run.request("spectra", command), texts, k, perSample, maxNewTokens, stop, new Sampler(temperature, topP),
                seed, limit, shortTexts == Short.SKIP, SpectraRequest.metrics(k, Metric.parseList(metrics, k)),
                markSignificant);
    }
}
