package headscope.analysis.spectra;

import headscope.analysis.InputException;
import headscope.analysis.Progress;
import headscope.analysis.Text;
import headscope.analysis.TextBatches;
import headscope.analysis.answers.Answerer;
import headscope.analysis.answers.TextEncoder;
import headscope.analysis.answers.TextTokens;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.metric.Metric;
import headscope.model.Batch;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Tokenizer;
import headscope.model.Transformer;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Runs texts through a model and measures every head. */
final class Observer implements AutoCloseable {
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

    /** Batches of texts that are read in one pass; other texts are alone. In the order of their first texts. */
    static List<int[]> batches(List<TextTokens> tokens, TextBatches batches) {
        int[] whole = IntStream.range(0, tokens.size()).filter(text -> tokens.get(text).isWhole()).toArray();
        Stream<int[]> alone = IntStream.range(0, tokens.size()).filter(text -> !tokens.get(text).isWhole())
                .mapToObj(text -> new int[] {text});
        return Stream.concat(batches.of(whole, text -> tokens.get(text).work()).stream(), alone)
                .sorted(Comparator.comparingInt(batch -> Arrays.stream(batch).min().orElseThrow()))
                .toList();
    }

    /**
     * Measures the texts of a batch.
     *
     * @param progress learns how many of the texts are done
     * @return empty for a text that has fewer than k tokens and may be skipped
     */
    List<Optional<Observation>> observe(List<IndexedText> texts, Progress progress) {
        progress.within(0);
        if (!texts.getFirst().tokens().isWhole()) {
            return List.of(continued(texts.getFirst(), progress));
        }
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

    /** Measures a text whose answer is generated, or read in the passes in which it was generated. */
    private Optional<Observation> continued(IndexedText text, Progress progress) {
        boolean again = HeadValues.needSymmetric(request.metrics());
        LayerHook passed = passed((again ? 2L : 1L) * text.tokens().work(), 1, progress);
        Answerer.Answer answer = answerer.answer(text.text(), text.tokens(), text.random(request), passed);
        if (text.isSkipped(answer.read().length, request)) {
            return Optional.empty();
        }
        Sequence sequence = answerer.sequence();
        TextValues values = new TextValues(request, model, sequence.tokens());
        List<Metric> metrics = HeadValues.fromStatistics(request.metrics());
        for (int layer = 0; layer < model.config().layers(); layer++) {
            AttentionStatistics statistics = sequence.statistics(layer);
            values.add(layer, model.backend().measure(metrics, statistics, model.attentionSpec(layer)).getFirst(),
                    statistics, model.attentionSpec(layer));
        }
        if (again) {
            measureSymmetric(answer.read(), values, passed);
        }
        return Optional.of(values.observation(text, answer, answerer.label(text.text(), answer)));
    }

    /** Runs the text through the model again, because the symmetrised spectrum needs all its queries at once. */
    private void measureSymmetric(int[] read, TextValues values, LayerHook passed) {
        Backend backend = model.backend();
        model.observe(new Batch(List.of(read)), new LayerHook() {
            @Override
            public void attention(int layer, Attention attention) {
                values.addSymmetric(layer, backend.symmetricSpectrum(
                        attention.query(), attention.key(), attention.packing(), attention.spec()).getFirst());
            }

            @Override
            public void headOutputs(int layer, Tensor heads) {
                passed.headOutputs(layer, heads);
            }
        });
    }

    @Override
    public void close() {
        answerer.close();
    }
}
