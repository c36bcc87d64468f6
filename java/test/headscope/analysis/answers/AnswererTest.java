package headscope.analysis.answers;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import headscope.Tolerance;
import headscope.analysis.DemoRuns;
import headscope.analysis.Entry;
import headscope.analysis.InputException;
import headscope.analysis.Join;
import headscope.analysis.LabelNames;
import headscope.analysis.PromptAnswer;
import headscope.analysis.Text;
import headscope.analysis.TextBatches;
import headscope.analysis.statistics.RandomStreams;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.LayerHook;
import headscope.model.Sampler;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Answers of the demo checkpoint. */
class AnswererTest {
    private static final Entry ENTRY = new Entry("f", "line 1", JsonNodeFactory.instance.objectNode());
    private static final String PROMPT = "the capital of boria is birch . elder is the capital of elvia . the capital of boria is";

    private static Backend backend;
    private static Checkpoint checkpoint;
    private static Transformer model;
    private static Tokenizer tokenizer;

    @BeforeAll
    static void open() {
        backend = Backend.open("cpu");
        checkpoint = Checkpoint.open(DemoRuns.MODEL);
        model = new Transformer(checkpoint, backend);
        tokenizer = Tokenizer.open(DemoRuns.MODEL, checkpoint.config());
    }

    @AfterAll
    static void close() {
        tokenizer.close();
        model.close();
        checkpoint.close();
        backend.close();
    }

    private static Answering settings(ChoiceScore score, Sampler sampler) {
        return new Answering(5, Match.NORMALISED, "", sampler, 0, score, Join.AUTO, LabelNames.NUMBERS);
    }

    private static Text.Choice choice(OptionalInt right, OptionalInt label, String... choices) {
        return new Text.Choice(ENTRY, PROMPT, List.of(choices), right, Optional.empty(), label);
    }

    private static Text.Question question(Optional<Text.Generated> generated) {
        return new Text.Question(ENTRY, PROMPT, List.of("birch"), generated, OptionalInt.empty());
    }

    private static TextTokens encode(Answering settings, Text text) {
        return new TextEncoder(settings, model.config(), tokenizer).encode(text);
    }

    private static Answerer.Answer answer(Answerer answerer, Answering settings, Text text) {
        return outcome(answerer, settings, text).answer();
    }

    /** An answer, and metrics of a text that is continued. */
    private record Outcome(Answerer.Answer answer, List<String> measured) {}

    private static Outcome outcome(Answerer answerer, Answering settings, Text text) {
        TextTokens tokens = encode(settings, text);
        if (tokens instanceof TextTokens.Choices choices) {
            return new Outcome(answerer.choose(List.of((Text.Choice) text), List.of(choices), LayerHook.NONE).getFirst(), List.of());
        }
        List<Outcome> outcomes = new ArrayList<>();
        answerer.answer(List.of(new Answerer.Continued(text, tokens, RandomStreams.of(7, 0))), new TextBatches(64), true,
                LayerHook.NONE, (index, answer, statistics) -> outcomes.add(new Outcome(answer, measured(statistics.apply(3)))));
        return outcomes.getFirst();
    }

    /** Against an independent forward pass in double precision. */
    @ParameterizedTest
    @EnumSource(ChoiceScore.class)
    void choosesTheMostProbable(ChoiceScore score) {
        List<String> choices = List.of("elder", "birch . elder", "birch", "birch . elder is the capital of elvia", "3");
        Text.Choice text = choice(OptionalInt.of(2), OptionalInt.empty(), choices.toArray(String[]::new));
        Answering settings = settings(score, Sampler.GREEDY);
        double[] expected = new double[choices.size()];
        try (PlainGpt2 plain = new PlainGpt2(DemoRuns.MODEL, model.config().layers(), model.config().heads())) {
            Answerer answerer = new Answerer(settings, model, tokenizer);
            int start = tokenizer.encodePrompt(PROMPT).length;
            for (int i = 0; i < expected.length; i++) {
                int[] ids = tokenizer.encodePrompt(PROMPT + " " + choices.get(i));
                double logProb = plain.logProb(ids, start);
                expected[i] = switch (score) {
                    case SUM -> logProb;
                    case PER_TOKEN -> logProb / (ids.length - start);
                    case PER_CHARACTER -> logProb / choices.get(i).length();
                };
            }
            Answerer.Answer answer = answer(answerer, settings, text);
            double[] scores = answer.scores().stream().mapToDouble(Double::doubleValue).toArray();
            assertArrayEquals(expected, scores, Tolerance.sum(200, 20), Arrays.toString(expected));
            int best = IntStream.range(0, expected.length).boxed().max((a, b) -> Double.compare(expected[a], expected[b])).orElseThrow();
            assertEquals(OptionalInt.of(best), answer.choice());
            assertEquals(choices.get(best), answer.text());
            assertEquals(best == 2 ? 0 : 1, answerer.label(text, answer));
        }
    }

    /** The choices of several texts are scored in one pass. */
    @Test
    void choicesOfSeveralTextsAreScoredTogether() {
        Answering settings = settings(ChoiceScore.SUM, Sampler.GREEDY);
        List<Text.Choice> texts = List.of(
                choice(OptionalInt.of(0), OptionalInt.empty(), "birch . elder", "3 3 3"),
                choice(OptionalInt.of(1), OptionalInt.empty(), "elder", "3", "birch"),
                choice(OptionalInt.of(1), OptionalInt.empty(), "3 3 3", "birch . elder"));
        Answerer answerer = new Answerer(settings, model, tokenizer);
        List<Answerer.Answer> together = answerer.choose(
                texts, texts.stream().map(text -> (TextTokens.Choices) encode(settings, text)).toList(), LayerHook.NONE);
        assertEquals(List.of("birch . elder", "birch", "birch . elder"),
                together.stream().map(Answerer.Answer::text).toList());
        for (int i = 0; i < texts.size(); i++) {
            Answerer.Answer alone = answer(answerer, settings, texts.get(i));
            for (int choice = 0; choice < alone.scores().size(); choice++) {
                assertEquals(alone.scores().get(choice), together.get(i).scores().get(choice), Tolerance.sum(200, 20));
            }
            assertArrayEquals(alone.read(), together.get(i).read());
        }
        assertArrayEquals(PromptAnswer.of(ENTRY, PROMPT, "birch . elder", Join.AUTO, model.config(), tokenizer).inputs(),
                together.get(0).read());
    }

    /** Metrics of a layer's heads, one list a metric. */
    private static List<String> measured(AttentionStatistics statistics) {
        List<Metric> metrics = Metric.all(3).stream().filter(metric -> !(metric instanceof Metric.Symmetric)).toList();
        LayerResult measured = backend.measure(metrics, statistics, model.attentionSpec(3)).getFirst();
        return metrics.stream().map(metric -> Arrays.deepToString(measured.of(metric))).toList();
    }

    /** All scores are conditioned on the same tokens, although one choice completes the last word of the prompt. */
    @Test
    void choicesHaveOneStart() {
        Answering settings = new Answering(1, Match.EXACT, "", Sampler.GREEDY, 0, ChoiceScore.SUM, Join.NONE, LabelNames.NUMBERS);
        Text.Choice text = new Text.Choice(ENTRY, PROMPT + " bir", List.of(" elder", "ch"), OptionalInt.of(1),
                Optional.empty(), OptionalInt.empty());
        TextTokens.Choices tokens = (TextTokens.Choices) encode(settings, text);
        int[] prompt = tokenizer.encodePrompt(PROMPT);
        assertEquals(prompt.length, tokens.start());
        assertArrayEquals(tokenizer.encodePrompt(PROMPT + " bir elder"), tokens.ids().get(0));
        assertArrayEquals(tokenizer.encodePrompt(PROMPT + " birch"), tokens.ids().get(1));
        try (PlainGpt2 plain = new PlainGpt2(DemoRuns.MODEL, model.config().layers(), model.config().heads())) {
            Answerer answerer = new Answerer(settings, model, tokenizer);
            List<Double> scores = answer(answerer, settings, text).scores();
            for (int i = 0; i < 2; i++) {
                assertEquals(plain.logProb(tokens.ids().get(i), prompt.length), scores.get(i), Tolerance.sum(200, 20));
            }
        }
    }

    /** The generated answer and the same answer given as text and tokens have the same statistics, to the bit. */
    @Test
    void givenAnswersReplayTheGeneration() {
        Answering settings = settings(ChoiceScore.SUM, new Sampler(1.5, 1));
        Answerer answerer = new Answerer(settings, model, tokenizer);
        Outcome outcome = outcome(answerer, settings, question(Optional.empty()));
        Answerer.Answer generated = outcome.answer();
        List<Integer> tokens = Arrays.stream(generated.generated()).boxed().toList();
        Text.Question given = question(Optional.of(new Text.Generated(generated.text(), tokens)));
        Outcome replayed = outcome(answerer, settings, given);
        Answerer.Answer read = replayed.answer();
        assertArrayEquals(generated.read(), read.read());
        assertEquals(generated.text(), read.text());
        assertEquals(outcome.measured(), replayed.measured());
        assertEquals(answerer.label(question(Optional.empty()), generated), answerer.label(given, read));
    }

    @Test
    void answersOfOtherProgramsAreTokenized() {
        Answering settings = settings(ChoiceScore.SUM, Sampler.GREEDY);
        TextTokens.Whole tokens = (TextTokens.Whole) encode(
                settings, question(Optional.of(new Text.Generated("birch . elder", List.of()))));
        int[] ids = tokenizer.encodePrompt(PROMPT + " birch . elder");
        assertArrayEquals(Arrays.copyOf(ids, ids.length - 1), tokens.ids());
    }

    @Test
    void givenLabelsTakePrecedence() {
        Answering settings = settings(ChoiceScore.SUM, Sampler.GREEDY);
        Answerer answerer = new Answerer(settings, model, tokenizer);
        for (int label : new int[] {0, 1}) {
            for (String right : List.of("birch", "elder")) {
                Text text = new Text.Question(ENTRY, PROMPT, List.of(right), Optional.empty(), OptionalInt.of(label));
                assertEquals(label, answerer.label(text, answer(answerer, settings, text)));
                Text choice = choice(OptionalInt.of(right.equals("birch") ? 0 : 1), OptionalInt.of(label), "birch", "elder");
                assertEquals(label, answerer.label(choice, answer(answerer, settings, choice)));
            }
        }
    }

    @Test
    void tokensOfAnotherAnswerAreRejected() {
        int[] birch = tokenizer.encodePrompt(PROMPT + " birch");
        int token = birch[birch.length - 1];
        rejects("generated_tokens do not match generated with this model's tokenizer: omit them, so that the answer is"
                + " tokenized, or restore the answer", question(Optional.of(new Text.Generated("elder", List.of(token)))));
        rejects("generated_tokens has token 217, but the model embeds only 217 tokens",
                question(Optional.of(new Text.Generated("birch", List.of(217)))));
        rejects("generated_tokens do not match generated with this model's tokenizer: omit them, so that the answer is"
                + " tokenized, or restore the answer", new Text.Choice(ENTRY, PROMPT, List.of("birch", "elder"), OptionalInt.of(0),
                Optional.of(new Text.Generated("elder", List.of(token))), OptionalInt.empty()));
        rejects("the answer has no tokens", question(Optional.of(new Text.Generated("", List.of()))));
        rejects("the answer has no tokens", choice(OptionalInt.of(0), OptionalInt.empty(), "birch", ""));
    }

    private static void rejects(String message, Text text) {
        assertEquals("f: line 1: " + message, assertThrows(InputException.class,
                () -> encode(settings(ChoiceScore.SUM, Sampler.GREEDY), text)).getMessage());
    }
}
