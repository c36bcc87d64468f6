package headscope.analysis.answers;

import headscope.analysis.Overflow;
import headscope.analysis.Predictions;
import headscope.analysis.Text;
import headscope.analysis.TextBatches;
import headscope.backend.AttentionStatistics;
import headscope.model.Batch;
import headscope.model.BatchGenerator;
import headscope.model.LayerHook;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntFunction;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** Answers prompts, chooses between given answers, and grades. */
public final class Answerer {
    /** Texts that are continued together on a CPU and on a GPU, by default. */
    private static final int ON_CPU = 16;

    private static final int ON_GPU = 64;

    /** On a GPU a long prompt is read in parts, beside the texts that are being continued; on a CPU it holds up none. */
    private static final int CHUNK = 256;

    private final Answering settings;
    private final Transformer model;
    private final AnswerDecoder decoder;

    public Answerer(Answering settings, Transformer model, Tokenizer tokenizer) {
        this.settings = settings;
        this.model = model;
        this.decoder = new AnswerDecoder(tokenizer, settings.stop());
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
     * A text that is continued.
     *
     * @param tokens a prompt, or a prompt with the tokens that a model has generated after it
     * @param random for sampling
     */
    public record Continued(Text text, TextTokens tokens, RandomGenerator random) {}

    /** Receives answers in the order in which they are complete. */
    public interface Answered {
        /**
         * @param index      of the text
         * @param statistics of a layer's attention; valid until the method returns
         */
        void text(int index, Answer answer, IntFunction<AttentionStatistics> statistics);
    }

    /**
     * Continues texts, several at a time.
     *
     * @param batches    size of a pass
     * @param statistics whether attention statistics are collected
     * @param hook       observes every pass
     */
    public void answer(
            List<Continued> texts, TextBatches batches, boolean statistics, LayerHook hook, Answered answered) {
        boolean gpu = model.backend().isGpu();
        BatchGenerator.Size size = new BatchGenerator.Size(
                settings.batchTexts().orElse(gpu ? ON_GPU : ON_CPU), batches.tokens(), gpu ? CHUNK : Integer.MAX_VALUE);
        new BatchGenerator(model, settings.sampler(), settings.maxNewTokens(), size, statistics).generate(
                texts.stream().map(this::prompt).toList(), hook, (index, tokens, sequence, slot) -> answered.text(
                        index, answer(texts.get(index), tokens), layer -> sequence.statistics(layer, slot)));
    }

    private BatchGenerator.Prompt prompt(Continued text) {
        return switch (text.tokens()) {
            case TextTokens.Prompt prompt -> new BatchGenerator.Prompt(
                    prompt.ids(), new int[0], text.random(), decoder.completion());
            case TextTokens.Replay replay -> new BatchGenerator.Prompt(
                    replay.prompt(), replay.generated(), text.random(), tokens -> false);
            case TextTokens.Whole whole -> throw new IllegalArgumentException("a whole text is not continued");
            case TextTokens.Choices choices -> throw new IllegalArgumentException("a text with choices is not continued");
        };
    }

    private Answer answer(Continued text, int[] generated) {
        return text.tokens() instanceof TextTokens.Prompt prompt
                ? answered(prompt, generated)
                : given(text.text(), text.tokens()).orElseThrow();
    }

    /** The answer that comes with a text; empty if the model answers it. */
    public static Optional<Answer> given(Text text, TextTokens tokens) {
        return switch (tokens) {
            case TextTokens.Whole whole -> Optional.of(given(text, whole.ids(), whole.answer()));
            case TextTokens.Replay replay -> Optional.of(
                    given(text, read(replay.prompt(), replay.generated()), replay.generated()));
            case TextTokens.Prompt prompt -> Optional.empty();
            case TextTokens.Choices choices -> Optional.empty();
        };
    }

    /**
     * The answers of one token to prompts that have been read together.
     *
     * @param hidden  output of the model's last layer
     * @param rows    of the prompts' last tokens
     * @param randoms for sampling, one per prompt
     */
    public List<Answer> answers(
            List<TextTokens.Prompt> prompts, Tensor hidden, int[] rows, List<RandomGenerator> randoms) {
        int[] tokens = settings.sampler().next(model.backend(), model.logits(hidden, rows), randoms);
        return IntStream.range(0, tokens.length)
                .mapToObj(i -> answered(prompts.get(i), new int[] {tokens[i]}))
                .toList();
    }

    private Answer answered(TextTokens.Prompt prompt, int[] generated) {
        return new Answer(decoder.answer(generated), read(prompt.ids(), generated), generated,
                OptionalInt.empty(), List.of());
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

    /** Scores the choices of several texts in one pass; the model reads all tokens of a choice but the last. */
    public List<Answer> choose(List<Text.Choice> texts, List<TextTokens.Choices> tokens, LayerHook hook) {
        Batch batch = new Batch(tokens.stream().flatMap(choices -> choices.ids().stream())
                .map(ids -> Arrays.copyOf(ids, ids.length - 1))
                .toList());
        double[] logProbs = logProbs(batch, tokens, hook);
        List<Answer> answers = new ArrayList<>();
        int first = 0;
        for (int i = 0; i < texts.size(); i++) {
            int end = first + tokens.get(i).ids().size();
            answers.add(choose(texts.get(i), tokens.get(i), Arrays.copyOfRange(logProbs, first, end)));
            first = end;
        }
        return answers;
    }

    private Answer choose(Text.Choice text, TextTokens.Choices choices, double[] logProbs) {
        double[] scores = new double[logProbs.length];
        int best = 0;
        for (int choice = 0; choice < scores.length; choice++) {
            if (!Double.isFinite(logProbs[choice])) {
                throw text.entry().wrong(
                        "the probability of a choice is not a number; " + Overflow.remedy(model.backend()));
            }
            scores[choice] = settings.choiceScore().of(
                    logProbs[choice], text.choices().get(choice), choices.ids().get(choice).length - choices.start());
            best = scores[choice] > scores[best] ? choice : best;
        }
        int[] chosen = choices.ids().get(best);
        return new Answer(text.choices().get(best), Arrays.copyOf(chosen, chosen.length - 1),
                Arrays.copyOfRange(chosen, choices.start(), chosen.length), OptionalInt.of(best),
                Arrays.stream(scores).boxed().toList());
    }

    /**
     * For each choice the sum of the log probabilities of the tokens from its start on, each after all tokens before it,
     * in nats.
     *
     * @param batch the choices without their last tokens
     */
    private double[] logProbs(Batch batch, List<TextTokens.Choices> tokens, LayerHook hook) {
        IntStream.Builder rows = IntStream.builder();
        IntStream.Builder targets = IntStream.builder();
        List<Integer> scored = new ArrayList<>();
        for (TextTokens.Choices choices : tokens) {
            for (int[] ids : choices.ids()) {
                int first = batch.first(scored.size());
                for (int token = choices.start(); token < ids.length; token++) {
                    rows.add(first + token - 1);
                    targets.add(ids[token]);
                }
                scored.add(ids.length - choices.start());
            }
        }
        float[] nll = new Predictions(model, model.read(batch, Optional.empty(), hook))
                .nll(rows.build().toArray(), targets.build().toArray());
        double[] logProbs = new double[scored.size()];
        int row = 0;
        for (int choice = 0; choice < logProbs.length; choice++) {
            for (int token = 0; token < scored.get(choice); token++) {
                logProbs[choice] -= nll[row++];
            }
        }
        return logProbs;
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
}
