package headscope.analysis.spectra;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import headscope.Tolerance;
import headscope.analysis.DemoRuns;
import headscope.analysis.Text;
import headscope.backend.Backend;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.Sampler;
import headscope.model.Tokenizer;
import headscope.model.Transformer;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The comparison of answers with expected ones, and the observation of answers. */
class ObserverTest {
    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', value = {
        "` Birch. `,birch", "`\"Paris\"!`,paris", "`U.S.A.`,usa", "`don't`,dont", "`« Élan »`,élan", "`1,000`,1000",
        "`two words`,`two words`", "`a - b`,`a  b`", "`?`,``", "`\t x \n`,x", "`IŞIK`,işik", "`¿Qué?`,qué"
    })
    void normalisesAnswers(String answer, String expected) {
        assertEquals(expected, Observer.normalised(answer));
        assertEquals(expected, Observer.normalised(expected));
    }

    @Test
    void differentWordsStayDifferent() {
        assertNotEquals(Observer.normalised("birch"), Observer.normalised("birches"));
        assertNotEquals(Observer.normalised("two words"), Observer.normalised("twowords"));
        assertNotEquals(Observer.normalised("10"), Observer.normalised("1"));
    }

    /** A prompt with its generated answer and the same words as one text have the same metrics. */
    @Test
    void observesAnAnswerLikeAText() {
        String prompt = "the capital of boria is birch . the capital of";
        SpectraRequest request = new SpectraRequest(
                DemoRuns.request(Path.of("out"), false), "-", 3,
                SpectraRequest.PerSample.MEAN, 4, "", Sampler.GREEDY, 0, 0, false,
                SpectraRequest.metrics(3, Metric.all(3)), false, true);
        try (Backend backend = Backend.open("cpu");
                Checkpoint checkpoint = Checkpoint.open(DemoRuns.MODEL);
                Transformer model = new Transformer(checkpoint, backend);
                Tokenizer tokenizer = Tokenizer.open(DemoRuns.MODEL);
                Observer observer = new Observer(request, model, tokenizer)) {
            int[] ids = tokenizer.encode(prompt);
            Observation generated = observer.observe(0, new Text.Question(1, prompt, "x"), ids, "f").orElseThrow();
            assertEquals(ids.length + 3, generated.tokens());
            String[] words = generated.answer().split(" ");
            String text = prompt + " " + String.join(" ", Arrays.copyOf(words, 3));
            Observation read = observer.observe(1, new Text.Labelled(2, text, 1), tokenizer.encode(text), "f")
                    .orElseThrow();
            assertEquals(generated.tokens(), read.tokens());
            for (int m = 0; m < request.metrics().size(); m++) {
                float[] expected = read.values().get(m);
                assertArrayEquals(expected, generated.values().get(m), Tolerance.fp32(expected),
                        request.metrics().get(m).key());
            }
        }
    }
}
