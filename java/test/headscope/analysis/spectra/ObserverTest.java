package headscope.analysis.spectra;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.Tolerance;
import headscope.analysis.DemoRuns;
import headscope.analysis.Progress;
import headscope.analysis.Text;
import headscope.backend.Backend;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.Sampler;
import headscope.model.Tokenizer;
import headscope.model.Transformer;
import headscope.result.SpectraView;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The observation of answers. */
class ObserverTest {
    /** A prompt with its generated answer and the same words as one text have the same metrics. */
    @Test
    void observesAnAnswerLikeAText() {
        String prompt = "the capital of boria is birch . the capital of";
        SpectraRequest request = new SpectraRequest(
                DemoRuns.request(Path.of("out"), false), "-", 3,
                SpectraRequest.PerSample.MEAN, 4, Match.NORMALISED, "", Sampler.GREEDY, 0, 0, false,
                SpectraRequest.metrics(3, Metric.all(3)), SpectraView.PUBLISHED.drawn(),
                SpectraView.PUBLISHED, true, PerToken.NONE);
        try (Backend backend = Backend.open("cpu");
                Checkpoint checkpoint = Checkpoint.open(DemoRuns.MODEL);
                Transformer model = new Transformer(checkpoint, backend);
                Tokenizer tokenizer = Tokenizer.open(DemoRuns.MODEL);
                Observer observer = new Observer(request, model, tokenizer)) {
            int[] ids = tokenizer.encode(prompt);
            Observation generated = observer.observe(0, new Text.Question(1, prompt, List.of("x")), ids, "f", Progress.SILENT)
                    .orElseThrow();
            assertEquals(ids.length + 3, generated.tokens());
            String[] words = generated.answer().split(" ");
            String text = prompt + " " + String.join(" ", Arrays.copyOf(words, 3));
            Observation read = observer.observe(1, new Text.Labelled(2, text, 1), tokenizer.encode(text), "f", Progress.SILENT)
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
