package headscope.cli;

import headscope.analysis.HeadRanking;
import headscope.analysis.InputException;
import headscope.analysis.RunRequest;
import headscope.analysis.functions.FunctionsRequest;
import headscope.analysis.functions.FunctionsRequest.Ablation;
import headscope.analysis.functions.FunctionsRequest.Training;
import headscope.result.FunctionsResult;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of {@code functions}. */
final class FunctionsOptions {
    @Option(names = "--texts", required = true, paramLabel = "FILE",
            description = "JSON lines, a JSON array or CSV of {\"prompt\", \"answer\", \"function\", \"split\": \"train\"|\"test\"};"
                    + " - reads standard input.")
    String texts;

    @Mixin
    JoinOption join = new JoinOption();

    @Option(names = "--answer-tokens", paramLabel = "all|first|last",
            description = "Answer tokens over which head outputs are averaged (default: ${DEFAULT-VALUE}).")
    FunctionsRequest.AnswerTokens answerTokens = FunctionsRequest.AnswerTokens.ALL;

    @Option(names = "--projection", paramLabel = "N",
            description = "Size of the projection of a head's output, shared by all heads (default: ${DEFAULT-VALUE}).")
    int projection = Training.DEFAULT.projection();

    @Option(names = "--hidden", paramLabel = "N",
            description = "Hidden units of the probe (default: ${DEFAULT-VALUE}).")
    int hidden = Training.DEFAULT.hidden();

    @Option(names = "--dropout", paramLabel = "X",
            description = "Dropout rate of the hidden units (default: ${DEFAULT-VALUE}).")
    double dropout = Training.DEFAULT.dropout();

    @Option(names = "--epochs", paramLabel = "N",
            description = "Training epochs, at most " + Training.MAX_EPOCHS + " (default: ${DEFAULT-VALUE}; the source uses 100).")
    int epochs = Training.DEFAULT.epochs();

    @Option(names = "--batch", paramLabel = "N",
            description = "Texts per training step (default: ${DEFAULT-VALUE}; the source uses 1).")
    int batch = Training.DEFAULT.batch();

    @Option(names = "--rate", paramLabel = "X", description = "Learning rate of AdamW (default: ${DEFAULT-VALUE}).")
    double rate = Training.DEFAULT.rate();

    @Option(names = "--decay", paramLabel = "X", description = "Weight decay of AdamW (default: ${DEFAULT-VALUE}).")
    double decay = Training.DEFAULT.decay();

    @Option(names = "--order", paramLabel = "shuffled|file",
            description = "Order of the training texts in an epoch (default: ${DEFAULT-VALUE}; the source uses file).")
    FunctionsRequest.Order order = Training.DEFAULT.order();

    @Option(names = "--seed", paramLabel = "N",
            description = "Seed for initialisation, dropout, shuffling and random heads (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(names = "--threshold", paramLabel = "X",
            description = "Count heads with |importance| above X (default: ${DEFAULT-VALUE}; the source's notes give"
                    + " 0.001 and 0.01).")
    double threshold = FunctionsRequest.THRESHOLD;

    @Option(names = "--show", paramLabel = "absolute|positive",
            description = "Draw the absolute value of the importance, or its positive part (default: ${DEFAULT-VALUE};"
                    + " the source does not specify).")
    FunctionsResult.Shown shown = FunctionsResult.Shown.ABSOLUTE;

    @Option(names = "--top", paramLabel = "X",
            description = "Upper end of the colour scale; larger values are clipped (default: a round number that about"
                    + " one cell in a hundred reaches).")
    Optional<Double> top;

    @Option(names = "--mask", paramLabel = "N|elbow",
            description = "Causal check: ablate a function's N most important heads (elbow: those before the elbow of"
                    + " its importance curve) and compare the model's accuracy with that after ablating the same number"
                    + " of random heads and of the least important heads.")
    Optional<String> mask;

    @Option(names = "--mask-factor", paramLabel = "X",
            description = "Factor on the outputs of ablated heads (default: ${DEFAULT-VALUE}; a note on the source gives"
                    + " 1e-3).")
    double maskFactor = Ablation.DEFAULT.factor();

    @Option(names = "--draws", paramLabel = "N",
            description = "Number of random sets of heads to average over, at most " + Ablation.MAX_DRAWS
                    + " (default: ${DEFAULT-VALUE}).")
    int draws = Ablation.DEFAULT.draws();

    @Option(names = "--top-heads", paramLabel = "N",
            description = "Print the N heads with the largest |importance| for each function; 0 prints none (default:"
                    + " ${DEFAULT-VALUE}).")
    int topHeads = HeadRanking.TOP;

    FunctionsRequest request(RunRequest run) {
        HeadRanking.requireCount("--top-heads", topHeads);
        return new FunctionsRequest(
                run, texts, answerTokens, new Training(projection, hidden, dropout, epochs, batch, rate, decay, order),
                threshold, shown, top, mask.map(heads -> new Ablation(heads(heads), maskFactor, draws)), join.join,
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
