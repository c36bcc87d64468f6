package headscope.analysis.spectra;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import headscope.Tolerance;
import headscope.analysis.DemoRuns;
import headscope.analysis.Entry;
import headscope.analysis.Join;
import headscope.analysis.LabelNames;
import headscope.analysis.Progress;
import headscope.analysis.Text;
import headscope.analysis.TextBatches;
import headscope.analysis.answers.Answering;
import headscope.analysis.answers.ChoiceScore;
import headscope.analysis.answers.Match;
import headscope.analysis.answers.TextEncoder;
import headscope.backend.Backend;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.Sampler;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import headscope.result.SpectraView;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** The observation of answers. */
class ObserverTest {
    private static final Answering SETTINGS = new Answering(
            4, Match.NORMALISED, "", Sampler.GREEDY, 0, ChoiceScore.SUM, Join.AUTO, LabelNames.NUMBERS);

    /** A prompt with its generated answer and the same words as one text have the same metrics. */
    @Test
    void observesAnAnswerLikeAText() {
        String prompt = "the capital of boria is birch . the capital of";
        SpectraRequest request = new SpectraRequest(
                DemoRuns.request(Path.of("out"), false), "-", 3,
                SpectraRequest.PerSample.MEAN, SETTINGS, 0, false,
                SpectraRequest.metrics(3, Metric.all(3)), SpectraView.PUBLISHED.drawn(), SpectraView.PUBLISHED, true,
                PerToken.NONE);
        try (Backend backend = Backend.open("cpu");
                Checkpoint checkpoint = Checkpoint.open(DemoRuns.MODEL);
                Transformer model = new Transformer(checkpoint, backend);
                Tokenizer tokenizer = Tokenizer.open(DemoRuns.MODEL)) {
            Observer observer = new Observer(request, model, tokenizer);
            int[] ids = tokenizer.encode(prompt);
            TextEncoder encoder = new TextEncoder(SETTINGS, model.config(), tokenizer);
            Entry entry = new Entry("f", "line 1", JsonNodeFactory.instance.objectNode());
            Text question = new Text.Question(entry, prompt, List.of("x"), Optional.empty(), OptionalInt.empty());
            Observation generated = observe(observer, 0, question, encoder);
            assertEquals(ids.length + 3, generated.tokens());
            String[] words = generated.answer().split(" ");
            String text = prompt + " " + String.join(" ", Arrays.copyOf(words, 3));
            Text labelled = new Text.Labelled(entry, text, OptionalInt.of(1));
            Observation read = observe(observer, 1, labelled, encoder);
            assertEquals(generated.tokens(), read.tokens());
            for (int m = 0; m < request.metrics().size(); m++) {
                float[] expected = read.values().get(m);
                assertArrayEquals(expected, generated.values().get(m), Tolerance.fp32(expected),
                        request.metrics().get(m).key());
            }
        }
    }

    private static Observation observe(Observer observer, int index, Text text, TextEncoder encoder) {
        List<IndexedText> texts = List.of(new IndexedText(index, text, encoder.encode(text)));
        if (texts.getFirst().tokens().isWhole()) {
            return observer.observe(texts, Progress.SILENT).getFirst().orElseThrow();
        }
        List<Observation> observations = new ArrayList<>();
        observer.observe(texts, new TextBatches(64), Progress.SILENT, (observation, of) -> observations.add(observation.orElseThrow()));
        return observations.getFirst();
    }
}
