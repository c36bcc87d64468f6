package headscope.analysis.spectra;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import headscope.Tolerance;
import headscope.analysis.RunRequest;
import headscope.analysis.Text;
import headscope.backend.Backend;
import headscope.backend.DeviceChoice;
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

/** When an answer is the expected one, and what is observed of it. */
class ObserverTest {
    private static final Path MODEL = Path.of("models/demo");

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', value = {
        "` Birch. `,birch", "`\"Paris\"!`,paris", "`U.S.A.`,usa", "`don't`,dont", "`« Élan »`,élan", "`1,000`,1000",
        "`two words`,`two words`", "`a - b`,`a  b`", "`?`,``", "`\t x \n`,x", "`IŞIK`,işik", "`¿Qué?`,qué"
    })
    void normalised(String answer, String expected) {
        assertEquals(expected, Observer.normalised(answer));
        assertEquals(expected, Observer.normalised(expected));
    }

    @Test
    void otherWordsStayOthers() {
        assertNotEquals(Observer.normalised("birch"), Observer.normalised("birches"));
        assertNotEquals(Observer.normalised("two words"), Observer.normalised("twowords"));
        assertNotEquals(Observer.normalised("10"), Observer.normalised("1"));
    }

    /** What is measured of a question and its answer is what is measured of both as one text. */
    @Test
    void answersAreObservedAsTheyWouldBeRead() {
        String prompt = "the capital of boria is birch . the capital of";
        SpectraRequest request = new SpectraRequest(
                new RunRequest(MODEL, Path.of("out"), DeviceChoice.of("cpu"), false, false, "test"), "-", 3,
                SpectraRequest.PerSample.MEAN, 4, "", Sampler.GREEDY, 0, 0, false,
                SpectraRequest.metrics(3, Metric.all(3)), false);
        try (Backend backend = Backend.open("cpu");
                Checkpoint checkpoint = Checkpoint.open(MODEL);
                Transformer model = new Transformer(checkpoint, backend);
                Tokenizer tokenizer = Tokenizer.open(MODEL);
                Observer observer = new Observer(request, model, tokenizer)) {
            int[] ids = tokenizer.encode(prompt);
            Observation asked = observer.observe(0, new Text.Question(1, prompt, "x"), ids, "f").orElseThrow();
            assertEquals(ids.length + 3, asked.tokens());
            String[] words = asked.answer().split(" ");
            String whole = prompt + " " + String.join(" ", Arrays.copyOf(words, 3));
            Observation read = observer.observe(1, new Text.Labelled(2, whole, 1), tokenizer.encode(whole), "f")
                    .orElseThrow();
            assertEquals(asked.tokens(), read.tokens());
            for (int m = 0; m < request.metrics().size(); m++) {
                float[] expected = read.values().get(m);
                assertArrayEquals(expected, asked.values().get(m), Tolerance.fp32(expected),
                        request.metrics().get(m).key());
            }
        }
    }
}
