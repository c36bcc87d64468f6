package headscope.cli;

import headscope.analysis.InputException;
import headscope.analysis.functions.FunctionsRequest;
import headscope.result.FunctionsResult;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What `functions` takes on the command line. */
final class FunctionsOptions {
    @Mixin
    RunOptions run;

    @Option(names = "--texts", required = true, paramLabel = "FILE",
            description = "JSON lines, each {\"prompt\", \"answer\", \"function\", \"split\": \"train\"|\"test\"};"
                    + " - reads standard input.")
    String texts;

    @Option(names = "--answer-tokens", defaultValue = "all", paramLabel = "all|first|last",
            description = "Over which tokens of an answer head outputs are averaged (default: ${DEFAULT-VALUE}).")
    FunctionsRequest.AnswerTokens answerTokens;

    @Option(names = "--projection", defaultValue = "64", paramLabel = "N",
            description = "Elements of a head's projection, which all heads share (default: ${DEFAULT-VALUE}).")
    int projection;

    @Option(names = "--hidden", defaultValue = "512", paramLabel = "N",
            description = "Neurons behind the projections (default: ${DEFAULT-VALUE}).")
    int hidden;

    @Option(names = "--dropout", defaultValue = "0.3", paramLabel = "X",
            description = "Share of them that each step of training drops (default: ${DEFAULT-VALUE}).")
    double dropout;

    @Option(names = "--epochs", defaultValue = "20", paramLabel = "N",
            description = "How often the probe reads the training texts (default: ${DEFAULT-VALUE}; the source: 100).")
    int epochs;

    @Option(names = "--batch", defaultValue = "32", paramLabel = "N",
            description = "Texts of a training step (default: ${DEFAULT-VALUE}; the source: 1).")
    int batch;

    @Option(names = "--rate", defaultValue = "1e-4", paramLabel = "X",
            description = "AdamW's learning rate (default: ${DEFAULT-VALUE}).")
    double rate;

    @Option(names = "--decay", defaultValue = "0.01", paramLabel = "X",
            description = "AdamW's weight decay (default: ${DEFAULT-VALUE}).")
    double decay;

    @Option(names = "--order", defaultValue = "shuffled", paramLabel = "shuffled|file",
            description = "Of the training texts in an epoch (default: ${DEFAULT-VALUE}; the source: file).")
    FunctionsRequest.Order order;

    @Option(names = "--seed", defaultValue = "0", paramLabel = "N",
            description = "Of the probe's start, dropout, order and random heads (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(names = "--threshold", defaultValue = "0.001", paramLabel = "X",
            description = "Heads whose |importance| is above are counted (default: ${DEFAULT-VALUE}; the source's notes"
                    + " have 0.001 and 0.01).")
    double threshold;

    @Option(names = "--show", defaultValue = "absolute", paramLabel = "absolute|positive",
            description = "What of a signed importance the picture shows: its absolute value, or what is above 0"
                    + " (default: ${DEFAULT-VALUE}; the source does not say).")
    FunctionsResult.Shown shown;

    @Option(names = "--top", paramLabel = "X",
            description = "Top of the colour scale, whose colour larger values have (default: round, so that about one"
                    + " cell in a hundred reaches it).")
    Double top;

    @Option(names = "--mask", paramLabel = "N|elbow",
            description = "Check by cause: let the model answer without a function's N most important heads (or those"
                    + " before the elbow), without as many random ones, and without the N least important.")
    String mask;

    @Option(names = "--mask-factor", defaultValue = "1e-4", paramLabel = "X",
            description = "What --mask multiplies head outputs with (default: ${DEFAULT-VALUE}; a note on the source"
                    + " has 1e-3).")
    double maskFactor;

    @Option(names = "--draws", defaultValue = "5", paramLabel = "N",
            description = "Draws of random heads, over which accuracy is averaged (default: ${DEFAULT-VALUE}).")
    int draws;

    /** @param command as it was typed */
    FunctionsRequest request(List<String> command) {
        return new FunctionsRequest(
                run.request("functions", command), texts, answerTokens,
                new FunctionsRequest.Training(projection, hidden, dropout, epochs, batch, rate, decay, order),
                threshold, shown, Optional.ofNullable(top),
                Optional.ofNullable(mask).map(heads -> new FunctionsRequest.Ablation(heads(heads), maskFactor, draws)),
                seed);
    }

    private static Optional<Integer> heads(String mask) {
        if (mask.equals("elbow")) {
            return Optional.empty();
        }
        try {
            return Optional.of(Integer.valueOf(mask));
        } catch (NumberFormatException neither) {
            throw new InputException("--mask must be a number of heads or elbow, not \"%s\"".formatted(mask));
        }
    }
}
