package headscope.analysis.spectra;

import headscope.analysis.Overflow;
import headscope.analysis.answers.Answerer;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.metric.LayerResult;
import headscope.model.Transformer;

/** The values of one text, measured layer by layer. */
final class TextValues {
    private final SpectraRequest request;
    private final Transformer model;
    private final HeadValues heads;
    private final TokenValues tokens;

    /** @param tokens of the text */
    TextValues(SpectraRequest request, Transformer model, int tokens) {
        this.request = request;
        this.model = model;
        this.heads = new HeadValues(request.metrics(), request.k(), model.config().layers(), model.config().heads());
        this.tokens = TokenValues.of(request.perToken(), request.perToken().heads(model.config()), tokens);
    }

    /**
     * @param result     the metrics of {@link HeadValues#fromStatistics}
     * @param statistics of the text
     */
    void add(int layer, LayerResult result, AttentionStatistics statistics, AttentionSpec spec) {
        heads.add(layer, result);
        tokens.measure(layer, model.backend(), statistics, spec);
    }

    /** @param spectra of {@link headscope.backend.Backend#symmetricSpectrum} */
    void addSymmetric(int layer, double[][] spectra) {
        heads.addSymmetric(layer, spectra);
    }

    /** @throws headscope.analysis.InputException if the attention of a head is not finite */
    Observation observation(IndexedText of, Answerer.Answer answer, int label) {
        heads.overflow().ifPresent(head -> {
            throw of.text().entry().wrong("%s; %s".formatted(head, Overflow.remedy(model.backend())));
        });
        return new Observation(of.index(), answer.read().length, label, answer.text(), Answerer.expected(of.text()),
                heads.values(), request.perToken().values().isEmpty() ? new int[0] : answer.read(), tokens.values());
    }
}
