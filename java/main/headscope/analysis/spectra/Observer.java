package headscope.analysis.spectra;

import headscope.analysis.InputException;
import headscope.analysis.Overflow;
import headscope.analysis.Progress;
import headscope.analysis.Text;
import headscope.analysis.answers.Answerer;
import headscope.analysis.answers.TextEncoder;
import headscope.analysis.answers.TextTokens;
import headscope.analysis.statistics.RandomStreams;
import headscope.backend.Backend;
import headscope.metric.Metric;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Tokenizer;
import headscope.model.Transformer;
import headscope.tensor.Tensor;
import java.util.List;
import java.util.Optional;

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
            throw tooShort(text, tokens.most(), request.k());
        }
        return tokens;
    }

    private static InputException tooShort(Text text, int tokens, int k) {
        return text.entry().wrong(("%d tokens give %d eigenvalues, but --k is %d: lower --k, or skip such texts with"
                + " --short skip").formatted(tokens, tokens, k));
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
     * Measures a text.
     *
     * @param progress learns which share of the text is done
     * @return empty if the text has fewer than k tokens and may be skipped
     */
    Optional<Observation> observe(int index, Text text, TextTokens tokens, Progress progress) {
        progress.within(0);
        Answerer.Answer answer = answerer.answer(
                text, tokens, RandomStreams.of(request.answering().seed(), index), layers(tokens.work(), progress));
        Sequence sequence = answerer.sequence();
        if (sequence.tokens() < request.k()) {
            if (request.skipShort()) {
                return Optional.empty();
            }
            throw tooShort(text, sequence.tokens(), request.k());
        }
        TokenValues ofTokens = TokenValues.of(
                request.perToken(), request.perToken().heads(model.config()), sequence.tokens());
        HeadValues values = measure(sequence, answer.read(), ofTokens, progress);
        values.overflow().ifPresent(head -> {
            throw text.entry().wrong("%s; %s".formatted(head, Overflow.remedy(model.backend())));
        });
        return Optional.of(new Observation(index, answer.read().length, answerer.label(text, answer), answer.text(),
                Answerer.expected(text), values.values(),
                request.perToken().values().isEmpty() ? new int[0] : answer.read(), ofTokens.values()));
    }

    private boolean hasSecondPass() {
        return HeadValues.needSymmetric(request.metrics());
    }

    /** Reports the share of the tokens that have passed through the layers; a second pass is the second half. */
    private LayerHook layers(int tokens, Progress progress) {
        double whole = (hasSecondPass() ? 2.0 : 1.0) * tokens * model.config().layers();
        return new LayerHook() {
            private long passed;

            @Override
            public void headOutputs(int layer, Tensor heads) {
                passed += heads.size(0);
                progress.within(passed / whole);
            }
        };
    }

    private HeadValues measure(Sequence sequence, int[] read, TokenValues ofTokens, Progress progress) {
        HeadValues values = new HeadValues(request.metrics(), request.k(), model.config().layers(), model.config().heads());
        for (int layer = 0; layer < model.config().layers(); layer++) {
            values.measure(layer, model.backend(), sequence.statistics(layer), model.attentionSpec(layer));
            ofTokens.measure(layer, model.backend(), sequence.statistics(layer), model.attentionSpec(layer));
        }
        if (hasSecondPass()) {
            measureSymmetric(sequence, read, values, progress);
        }
        return values;
    }

    /** Runs the text through the model again, because the symmetrised spectrum needs all its queries at once. */
    private void measureSymmetric(Sequence sequence, int[] read, HeadValues values, Progress progress) {
        sequence.clear();
        Backend backend = model.backend();
        model.forward(sequence, read, new LayerHook() {
            @Override
            public void attention(int layer, Attention attention) {
                values.addSymmetric(
                        layer, backend.symmetricSpectrum(attention.query(), attention.key(), attention.packing(), attention.spec()).getFirst());
                progress.within(0.5 + (layer + 1) / (2.0 * model.config().layers()));
            }
        });
    }

    @Override
    public void close() {
        answerer.close();
    }
}
