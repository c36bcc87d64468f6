package headscope.analysis.functions;

import headscope.analysis.InputException;
import headscope.analysis.RunRequest;

import headscope.backend.Gradients;
import java.util.Optional;

/**
 * What a functions run is asked for.
 *
 * @param texts     path of a file of JSON lines, or "-" for standard input
 * @param tokens    of an answer, whose predicting positions are averaged
 * @param threshold heads whose |importance| lies above are counted
 * @param shown     what of a signed importance the picture shows
 * @param top       of the colour scale; empty = by rule
 * @param masking   the causal check; empty = none
 * @param seed      of the probe's start, of dropout, of the order of texts and of random heads
 */
public record FunctionsRequest(
        RunRequest run, String texts, AnswerTokens tokens, Training training, double threshold, Shown shown,
        Optional<Double> top, Optional<Masking> masking, long seed) {

    /** Which tokens of an answer count. */
    public enum AnswerTokens {
        ALL,
        FIRST,
        LAST
    }

    /** What of a signed importance is shown: its absolute value, or what is above 0. */
    public enum Shown {
        ABSOLUTE,
        POSITIVE
    }

    /** In which order the texts of an epoch come. */
    public enum Order {
        SHUFFLED,
        FILE
    }

    /**
     * The probe and how it learns.
     *
     * @param projection elements of a head's projection
     * @param hidden     neurons
     * @param dropout    share of them that is dropped in a step
     * @param batch      texts of a step
     * @param rate       of AdamW, as decay
     */
    public record Training(
            int projection, int hidden, double dropout, int epochs, int batch, double rate, double decay, Order order) {
        public Training {
            require(projection >= 1, "--projection must be at least 1, not " + projection);
            require(hidden >= 1, "--hidden must be at least 1, not " + hidden);
            require(dropout >= 0 && dropout < 1, "--dropout must be at least 0 and below 1, not " + dropout);
            require(epochs >= 1, "--epochs must be at least 1, not " + epochs);
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
     * What is done to heads, to see whether answers depend on them.
     *
     * @param heads  how many; empty = those before a function's elbow
     * @param factor on their outputs
     * @param draws  of random heads, over which accuracy is averaged
     */
    public record Masking(Optional<Integer> heads, double factor, int draws) {
        public Masking {
            require(heads.map(count -> count >= 1).orElse(true), "--mask must be at least 1 head, or elbow");
            require(Double.isFinite(factor), "--mask-factor must be a number, not " + factor);
            require(draws >= 1, "--draws must be at least 1, not " + draws);
        }
    }

    public FunctionsRequest {
        require(threshold >= 0, "--threshold must be at least 0, not " + threshold);
        require(top.map(value -> value > 0 && Double.isFinite(value)).orElse(true), "--top must be above 0");
    }

    private static void require(boolean holds, String rule) {
        if (!holds) {
            throw new InputException(rule);
        }
    }
}
