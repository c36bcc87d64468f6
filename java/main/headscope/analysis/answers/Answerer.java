package headscope.analysis.answers;

import headscope.analysis.Overflow;
import headscope.analysis.Text;
import headscope.model.Generator;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Tokenizer;
import headscope.model.Transformer;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** Runs a model over texts, prompts to answer and prompts with choices. */
public final class Answerer implements AutoCloseable {
    private static final int CAPACITY = 256;

    private final Answering settings;
    private final Transformer model;
    private final AnswerDecoder decoder;
    private final Generator generator;
    private Sequence sequence;

    public Answerer(Answering settings, Transformer model, Tokenizer tokenizer) {
        this.settings = settings;
        this.model = model;
        this.decoder = new AnswerDecoder(tokenizer, settings.stop());
        this.generator = new Generator(model, settings.sampler(), settings.maxNewTokens());
        this.sequence = model.sequence(Math.min(CAPACITY, model.config().maxTokens()));
    }

    /**
     * What the model has read and answered.
     *
     * @param text      the answer; empty for a text without a prompt
     * @param read      all tokens that the model has read
     * @param generated the answer's tokens, of which the model has not read the last
     * @param choice    index of the choice, if there are choices
     * @param scores    of the choices; empty if the model has not scored them
     */
    public record Answer(String text, int[] read, int[] generated, OptionalInt choice, List<Double> scores) {}

    /**
     * Reads a text, and answers it if it is a prompt.
     *
     * @param random for sampling
     * @param hook   observes every pass
     */
    public Answer answer(Text text, TextTokens tokens, RandomGenerator random, LayerHook hook) {
        empty(tokens.most());
        return switch (tokens) {
            case TextTokens.Whole whole -> {
                model.forward(sequence, whole.ids(), hook);
                yield given(text, whole.ids(), whole.answer());
            }
            case TextTokens.Replay replay -> {
                model.forward(sequence, replay.prompt(), hook);
                for (int i = 0; i < replay.generated().length - 1; i++) {
                    model.forward(sequence, new int[] {replay.generated()[i]}, hook);
                }
                yield given(text, read(replay.prompt(), replay.generated()), replay.generated());
            }
            case TextTokens.Prompt prompt -> {
                int[] generated = generator.generate(sequence, prompt.ids(), random, hook, decoder::isComplete);
                yield new Answer(decoder.answer(generated), read(prompt.ids(), generated), generated,
                        OptionalInt.empty(), List.of());
            }
            case TextTokens.Choices choices -> choose((Text.Choice) text, choices, hook);
        };
    }

    /** The sequence of the last text, with its attention statistics. */
    public Sequence sequence() {
        return sequence;
    }

    private static int[] read(int[] prompt, int[] generated) {
        return IntStream.concat(Arrays.stream(prompt), Arrays.stream(generated, 0, generated.length - 1)).toArray();
    }

    private static Answer given(Text text, int[] read, int[] generated) {
        String answer = switch (text) {
            case Text.Question question -> question.generated().orElseThrow().text();
            case Text.Choice choice -> choice.generated().orElseThrow().text();
            case Text.Labelled labelled -> "";
        };
        OptionalInt chosen = text instanceof Text.Choice choice
                ? OptionalInt.of(choice.choices().indexOf(answer))
                : OptionalInt.empty();
        return new Answer(answer, read, generated, chosen, List.of());
    }

    /** Scores every choice in a pass of its own, and reads the best one again unless it was the last. */
    private Answer choose(Text.Choice text, TextTokens.Choices choices, LayerHook hook) {
        double[] scores = new double[choices.ids().size()];
        int best = 0;
        for (int choice = 0; choice < scores.length; choice++) {
            int[] ids = choices.ids().get(choice);
            sequence.clear();
            double logProb = logProb(ids, choices.start(), hook);
            if (!Double.isFinite(logProb)) {
                throw text.entry().wrong(
                        "the probability of a choice is not a number; " + Overflow.remedy(model.backend()));
            }
            scores[choice] = settings.choiceScore().of(
                    logProb, text.choices().get(choice), ids.length - choices.start());
            best = scores[choice] > scores[best] ? choice : best;
        }
        int[] chosen = choices.ids().get(best);
        int[] read = Arrays.copyOf(chosen, chosen.length - 1);
        if (best != scores.length - 1) {
            sequence.clear();
            model.forward(sequence, read, hook);
        }
        return new Answer(text.choices().get(best), read, Arrays.copyOfRange(chosen, choices.start(), chosen.length),
                OptionalInt.of(best), Arrays.stream(scores).boxed().toList());
    }

    /** Sum of the log probabilities of the tokens from {@code start} on, each after all tokens before it, in nats. */
    private double logProb(int[] ids, int start, LayerHook hook) {
        Tensor hidden = model.forward(sequence, Arrays.copyOf(ids, ids.length - 1), hook);
        int[] targets = Arrays.copyOfRange(ids, start, ids.length);
        float[] factors = new float[targets.length];
        Tensor logits = model.logits(hidden.rows(start - 1, targets.length));
        double sum = 0;
        for (float nll : model.backend().gradients().crossEntropy(logits, targets, factors)) {
            sum -= nll;
        }
        return sum;
    }

    private void empty(int tokens) {
        int most = model.config().maxTokens();
        if (sequence.capacity() < tokens && sequence.capacity() < most) {
            sequence.close();
            sequence = model.sequence((int) Math.min(most, 2L * tokens));
        }
        sequence.clear();
    }

    /** The given label; otherwise 0 if the answer is right, 1 if it is wrong. */
    public int label(Text text, Answer answer) {
        return text.label().orElseGet(() -> isRight(text, answer) ? 0 : 1);
    }

    private boolean isRight(Text text, Answer answer) {
        return switch (text) {
            case Text.Question question -> settings.match().accepts(answer.text(), question.answers());
            case Text.Choice choice -> choice.right().equals(answer.choice());
            case Text.Labelled labelled -> throw new IllegalStateException("labelled texts have a label");
        };
    }

    /** The expected answers, for a table; empty without them. */
    public static String expected(Text text) {
        return switch (text) {
            case Text.Question question -> String.join(" | ", question.answers());
            case Text.Choice choice -> choice.right().isPresent() ? choice.choices().get(choice.right().getAsInt()) : "";
            case Text.Labelled labelled -> "";
        };
    }

    @Override
    public void close() {
        sequence.close();
    }
}
