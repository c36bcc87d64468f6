package headscope.analysis.spectra;

import headscope.analysis.InputException;
import headscope.analysis.JsonLines;
import headscope.analysis.Overflow;
import headscope.analysis.Progress;
import headscope.analysis.Text;
import headscope.analysis.statistics.RandomStreams;
import headscope.backend.Backend;
import headscope.metric.Metric;
import headscope.model.Generator;
import headscope.model.LayerHook;
import headscope.model.ModelConfig;
import headscope.model.Sequence;
import headscope.model.Tokenizer;
import headscope.model.Transformer;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/** Runs texts through a model and measures every head. */
final class Observer implements AutoCloseable {
    private final SpectraRequest request;
    private final Transformer model;
    private final AnswerDecoder decoder;
    private final Generator generator;
    private Sequence text;

    Observer(SpectraRequest request, Transformer model, Tokenizer tokenizer) {
        this.request = request;
        this.model = model;
        this.decoder = new AnswerDecoder(tokenizer, request.stop());
        this.generator = new Generator(model, request.sampler(), request.maxNewTokens());
        this.text = model.sequence(Math.min(256, model.config().maxTokens()));
    }

    /** @return the tokens of a text; throws {@link InputException} if the model cannot read them */
    static int[] encode(Text text, String file, SpectraRequest request, ModelConfig config, Tokenizer tokenizer) {
        boolean prompted = text instanceof Text.Question;
        int[] ids = JsonLines.located(file, text.line(), () -> switch (text) {
            case Text.Question question -> tokenizer.encodePrompt(question.prompt());
            case Text.Labelled labelled -> tokenizer.encode(labelled.text());
        });
        if (ids.length == 0) {
            throw JsonLines.wrong(file, text.line(), "the text has no tokens");
        }
        long tokens = ids.length + (prompted ? request.maxNewTokens() - 1L : 0);
        if (tokens > config.maxTokens()) {
            throw JsonLines.wrong(file, text.line(),
                    "%d tokens%s; the model takes at most %d: shorten the text%s".formatted(ids.length,
                            prompted ? " and up to %d new ones".formatted(request.maxNewTokens()) : "",
                            config.maxTokens(), prompted ? " or lower --max-new-tokens" : ""));
        }
        if (tokens < request.k() && !request.skipShort()) {
            throw tooShort(file, text.line(), tokens, request.k());
        }
        return ids;
    }

    private static InputException tooShort(String file, int line, long tokens, int k) {
        return JsonLines.wrong(file, line, ("%d tokens give %d eigenvalues, but --k is %d: lower --k, or skip such "
                + "texts with --short skip").formatted(tokens, tokens, k));
    }

    /** Rejects metrics that are not computed for texts of this length. */
    static void requireMetrics(SpectraRequest request, List<int[]> tokens) {
        int longest = tokens.stream().mapToInt(ids -> ids.length).max().orElseThrow();
        boolean symmetric = HeadValues.needSymmetric(request.metrics());
        if (symmetric && (long) longest + request.maxNewTokens() > Metric.Symmetric.MAX_TOKENS) {
            throw new InputException("the symmetrised spectrum is computed for texts of at most %d tokens; one has %d"
                    .formatted(Metric.Symmetric.MAX_TOKENS, longest));
        }
    }

    /**
     * Measures a text.
     *
     * @param progress learns which share of the text is done
     * @return empty if the text has fewer than k tokens and may be skipped
     */
    Optional<Observation> observe(int index, Text source, int[] ids, String file, Progress progress) {
        progress.within(0);
        text = sequenceOf(ids.length + request.maxNewTokens());
        String answer = "";
        String expected = "";
        int label;
        int[] read = ids;
        switch (source) {
            case Text.Question question -> {
                int[] generated = generator.generate(
                        text, ids, random(index),
                        layers(ids.length + request.maxNewTokens() - 1, progress), decoder::isComplete);
                read = Arrays.copyOf(ids, text.tokens());
                System.arraycopy(generated, 0, read, ids.length, read.length - ids.length);
                answer = decoder.answer(generated);
                expected = String.join(" | ", question.answers());
                label = request.match().accepts(answer, question.answers()) ? 0 : 1;
            }
            case Text.Labelled labelled -> {
                model.forward(text, ids, layers(ids.length, progress));
                label = labelled.label();
            }
        }
        if (text.tokens() < request.k()) {
            if (request.skipShort()) {
                return Optional.empty();
            }
            throw tooShort(file, source.line(), text.tokens(), request.k());
        }
        TokenValues tokens = TokenValues.of(
                request.perToken(), request.perToken().heads(model.config()), text.tokens());
        HeadValues values = measure(read, tokens, progress);
        values.overflow().ifPresent(head -> {
            throw JsonLines.wrong(file, source.line(), "%s; %s".formatted(head, Overflow.remedy(model.backend())));
        });
        return Optional.of(new Observation(index, text.tokens(), label, answer, expected, values.values(),
                request.perToken().values().isEmpty() ? new int[0] : read, tokens.values()));
    }

    private boolean hasSecondPass() {
        return HeadValues.needSymmetric(request.metrics());
    }

    /** Reports the share of the tokens that have passed through the layers; a second pass is the second half. */
    private LayerHook layers(int tokens, Progress progress) {
        double whole = (hasSecondPass() ? 2.0 : 1.0) * tokens;
        return new LayerHook() {
            @Override
            public void headOutputs(int layer, Tensor heads) {
                progress.within((text.tokens() + heads.size(0) * (layer + 1.0) / model.config().layers()) / whole);
            }
        };
    }

    private Sequence sequenceOf(int tokens) {
        if (text.capacity() < tokens && text.capacity() < model.config().maxTokens()) {
            text.close();
            text = model.sequence(Math.min(model.config().maxTokens(), 2 * tokens));
        }
        text.clear();
        return text;
    }

    private RandomGenerator random(int index) {
        return RandomStreams.of(request.seed(), index);
    }

    private HeadValues measure(int[] read, TokenValues tokens, Progress progress) {
        HeadValues values = new HeadValues(request.metrics(), request.k(), model.config().layers(), model.config().heads());
        for (int layer = 0; layer < model.config().layers(); layer++) {
            values.measure(layer, model.backend(), text.statistics(layer), model.attentionSpec(layer));
            tokens.measure(layer, model.backend(), text.statistics(layer), model.attentionSpec(layer));
        }
        if (hasSecondPass()) {
            measureSymmetric(read, values, progress);
        }
        return values;
    }

    /** Runs the text through the model again, because the symmetrised spectrum needs all its queries at once. */
    private void measureSymmetric(int[] read, HeadValues values, Progress progress) {
        text.clear();
        Backend backend = model.backend();
        model.forward(text, read, new LayerHook() {
            @Override
            public void attention(int layer, Attention attention) {
                values.addSymmetric(
                        layer, backend.symmetricSpectrum(attention.query(), attention.key(), attention.spec()));
                progress.within(0.5 + (layer + 1) / (2.0 * model.config().layers()));
            }
        });
    }

    @Override
    public void close() {
        text.close();
    }
}
