package headscope.analysis.spectra;

import headscope.analysis.InputException;
import headscope.analysis.Progress;
import headscope.analysis.Text;
import headscope.analysis.TextBatches;
import headscope.analysis.answers.Answerer;
import headscope.analysis.answers.RowsInWork;
import headscope.analysis.answers.TextEncoder;
import headscope.analysis.answers.TextTokens;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.metric.Metric;
import headscope.model.Batch;
import headscope.model.LayerHook;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntFunction;
import java.util.function.ObjIntConsumer;

/** Runs texts through a model and measures every head. */
final class Observer {
    private final SpectraRequest request;
    private final Transformer model;
    private final Answerer answerer;

    Observer(SpectraRequest request, Transformer model, Tokenizer tokenizer) {
        this.request = request;
        this.model = model;
        this.answerer = new Answerer(request.answering(), model, tokenizer);
    }

    /** @return the tokens of a text; throws {@link InputException} if it cannot be measured */
    static TextTokens encode(Text text, SpectraRequest request, TextEncoder encoder) {
        TextTokens tokens = encoder.encode(text);
        if (tokens.most() < request.k() && !request.skipShort()) {
            throw IndexedText.tooShort(text, tokens.most(), request.k());
        }
        return tokens;
    }

    /** Rejects metrics that are not computed for texts of this length. */
    static void requireMetrics(SpectraRequest request, List<TextTokens> tokens) {
        int longest = tokens.stream().mapToInt(TextTokens::most).max().orElseThrow();
        if (HeadValues.needSymmetric(request.metrics()) && longest > Metric.Symmetric.MAX_TOKENS) {
            throw new InputException("the symmetrised spectrum is computed for texts of at most %d tokens; a text may have %d"
                    .formatted(Metric.Symmetric.MAX_TOKENS, longest));
        }
    }

    /**
     * Measures texts that are read in one pass, together.
     *
     * @param progress learns how many of the texts are done
     * @return empty for a text that has fewer than k tokens and may be skipped
     */
    List<Optional<Observation>> observe(List<IndexedText> texts, Progress progress) {
        progress.within(0);
        WholeTexts together = new WholeTexts(request, model, answerer);
        LayerHook passed = passed(
                texts.stream().mapToLong(text -> text.tokens().work()).sum(), texts.size(), progress);
        List<Optional<Observation>> observations = new ArrayList<>();
        model.splitOnOutOfMemory(texts.size(), (first, count) ->
                observations.addAll(together.observe(texts.subList(first, first + count), passed)));
        return observations;
    }

    /**
     * Reports the share of the rows that have passed through the layers.
     *
     * @param rows of all passes
     */
    private LayerHook passed(long rows, int texts, Progress progress) {
        double whole = (double) rows * model.config().layers() / texts;
        return new LayerHook() {
            private long passed;

            @Override
            public void headOutputs(int layer, Tensor heads) {
                passed += heads.size(0);
                progress.within(Math.min(texts, passed / whole));
            }
        };
    }

    /**
     * Measures texts whose answers are generated, or read in the passes in which they were generated, several at a time.
     *
     * @param progress learns how many of the texts that have not been passed on are done
     * @param measured receives each text's observation, empty for a text that is skipped, and its index in the file
     */
    void observe(
            List<IndexedText> texts, TextBatches batches, Progress progress, ObjIntConsumer<Optional<Observation>> measured) {
        progress.within(0);
        RowsInWork rows = new RowsInWork(
                texts.stream().mapToInt(text -> text.tokens().work()).average().orElse(1), model.config().layers(), progress);
        answerer.answer(texts.stream()
                .map(text -> new Answerer.Continued(text.text(), text.tokens(), text.random(request))).toList(),
                batches, true, rows, (i, answer, statistics) -> {
                    measured.accept(continued(texts.get(i), answer, statistics), texts.get(i).index());
                    rows.end(answer.read().length);
                });
    }

    private Optional<Observation> continued(
            IndexedText text, Answerer.Answer answer, IntFunction<AttentionStatistics> ofLayers) {
        if (text.isSkipped(answer.read().length, request)) {
            return Optional.empty();
        }
        TextValues values = new TextValues(request, model, answer.read().length);
        List<Metric> metrics = HeadValues.fromStatistics(request.metrics());
        for (int layer = 0; layer < model.config().layers(); layer++) {
            AttentionStatistics statistics = ofLayers.apply(layer);
            values.add(layer, model.backend().measure(metrics, statistics, model.attentionSpec(layer)).getFirst(),
                    statistics, model.attentionSpec(layer));
        }
        if (HeadValues.needSymmetric(request.metrics())) {
            measureSymmetric(answer.read(), values);
        }
        return Optional.of(values.observation(text, answer, answerer.label(text.text(), answer)));
    }

    /** Runs the text through the model again, because the symmetrised spectrum needs all its queries at once. */
    private void measureSymmetric(int[] read, TextValues values) {
        Backend backend = model.backend();
        model.observe(new Batch(List.of(read)), new LayerHook() {
            @Override
            public void attention(int layer, Attention attention) {
                values.addSymmetric(layer, backend.symmetricSpectrum(
                        attention.query(), attention.key(), attention.packing(), attention.spec()).getFirst());
            }
        });
    }
}
