package headscope.analysis.functions;

import static headscope.analysis.InputException.require;
import static headscope.analysis.InputException.requireCount;

import headscope.analysis.Join;
import headscope.analysis.RunRequest;
import headscope.backend.Gradients;
import headscope.result.FunctionsResult;
import java.util.Optional;

/**
 * The settings of a functions run.
 *
 * @param texts     path of a file of texts, or "-" for standard input
 * @param tokens    the answer tokens whose predicting positions are averaged
 * @param threshold heads whose |importance| exceeds it are counted
 * @param shown     which part of the signed importance the figure shows
 * @param top       upper end of the colour scale, a normal float above 0; empty = chosen from the values
 * @param ablation  causal check by ablating heads; empty = none
 * @param join      what stands between prompt and answer
 * @param seed      for the initial weights, dropout, the order of texts and random heads
 */
public record FunctionsRequest(
        RunRequest run, String texts, AnswerTokens tokens, Training training, double threshold, FunctionsResult.Shown shown,
        Optional<Double> top, Optional<Ablation> ablation, Join join, long seed) {
    public static final double THRESHOLD = 1e-3;

    /** The normal floats above 0. */
    private static final double MIN_TOP = 1.2e-38;

    private static final double MAX_TOP = 3.4e38;

    /** Every setting at its default: no causal check. */
    public static FunctionsRequest of(RunRequest run, String texts) {
        return new FunctionsRequest(run, texts, AnswerTokens.ALL, Training.DEFAULT, THRESHOLD, FunctionsResult.Shown.ABSOLUTE,
                Optional.empty(), Optional.empty(), Join.AUTO, 0);
    }

    public FunctionsRequest withAblation(Ablation check) {
        return new FunctionsRequest(run, texts, tokens, training, threshold, shown, top, Optional.of(check), join,
                seed);
    }

    /** Which tokens of an answer count. */
    public enum AnswerTokens {
        ALL,
        FIRST,
        LAST
    }

    /** The order of the texts in an epoch. */
    public enum Order {
        SHUFFLED,
        FILE
    }

    /**
     * The sizes of the probe and its training.
     *
     * @param projection elements of a head's projection
     * @param hidden     hidden units
     * @param dropout    share of hidden units dropped in a step
     * @param batch      texts per step
     * @param rate       AdamW's learning rate
     * @param decay      AdamW's weight decay
     */
    public record Training(
            int projection, int hidden, double dropout, int epochs, int batch, double rate, double decay, Order order) {
        public static final int MAX_EPOCHS = 1_000_000;
        public static final Training DEFAULT = new Training(64, 512, 0.3, 20, 32, 1e-4, 0.01, Order.SHUFFLED);

        public Training {
            require(projection >= 1, "--projection must be at least 1, not " + projection);
            require(hidden >= 1, "--hidden must be at least 1, not " + hidden);
            require(dropout >= 0 && dropout < 1, "--dropout must be at least 0 and below 1, not " + dropout);
            requireCount("--epochs", epochs, 1, MAX_EPOCHS);
            require(batch >= 1, "--batch must be at least 1, not " + batch);
            require(rate > 0 && rate < Double.POSITIVE_INFINITY, "--rate must be above 0, not " + rate);
            require(decay >= 0 && decay < Double.POSITIVE_INFINITY, "--decay must be at least 0, not " + decay);
        }

        /** PyTorch's constants. */
        Gradients.AdamW adamW() {
            return new Gradients.AdamW((float) rate, 0.9f, 0.999f, 1e-8f, (float) decay);
        }
    }

    /**
     * The ablation of heads, to check whether answers depend on them.
     *
     * @param heads  number of heads; empty = those before a function's elbow
     * @param factor on their outputs
     * @param draws  number of random sets of heads, over which accuracy is averaged
     */
    public record Ablation(Optional<Integer> heads, double factor, int draws) {
        public static final int MAX_DRAWS = 10_000;

        /** As many heads as lie before a function's elbow. */
        public static final Ablation DEFAULT = new Ablation(Optional.empty(), 1e-4, 5);

        public Ablation {
            require(heads.map(count -> count >= 1).orElse(true), "--mask must be at least 1 head, or elbow");
            require(Double.isFinite(factor), "--mask-factor must be a number, not " + factor);
            requireCount("--draws", draws, 1, MAX_DRAWS);
        }
    }

    public FunctionsRequest {
        require(threshold >= 0, "--threshold must be at least 0, not " + threshold);
        top.ifPresent(value -> require(
                value >= MIN_TOP && value <= MAX_TOP, "--top must be from %s to %s, not %s".formatted(MIN_TOP, MAX_TOP, value)));
    }
}
