package headscope.analysis.spectra;

import headscope.analysis.Text;
import headscope.analysis.answers.Answerer;
import headscope.analysis.answers.TextTokens;
import headscope.backend.Backend;
import headscope.backend.TextRows;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.model.Batch;
import headscope.model.LayerHook;
import headscope.model.Transformer;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Measures texts that the model reads in one pass, several of them together. */
record WholeTexts(SpectraRequest request, Transformer model, Answerer answerer) {
    /**
     * @param passed learns which rows have passed through which layers
     * @return empty for a text that is skipped
     */
    List<Optional<Observation>> observe(List<IndexedText> texts, LayerHook passed) {
        Map<Integer, Answerer.Answer> answers = new HashMap<>(choices(texts, passed));
        texts.forEach(text -> Answerer.given(text.text(), text.tokens())
                .ifPresent(answer -> answers.put(text.index(), answer)));
        Map<Integer, TextValues> values = measure(
                texts.stream().filter(text -> !text.isSkipped(read(text, answers).length, request)).toList(),
                answers, passed);
        return texts.stream()
                .map(text -> Optional.ofNullable(values.get(text.index())).map(measured -> measured.observation(
                        text, answers.get(text.index()), answerer.label(text.text(), answers.get(text.index())))))
                .toList();
    }

    /** The answers to texts with choices, all of which are scored in one pass. */
    private Map<Integer, Answerer.Answer> choices(List<IndexedText> texts, LayerHook passed) {
        List<IndexedText> choices = texts.stream().filter(text -> text.tokens() instanceof TextTokens.Choices).toList();
        if (choices.isEmpty()) {
            return Map.of();
        }
        List<Answerer.Answer> chosen = answerer.choose(
                choices.stream().map(text -> (Text.Choice) text.text()).toList(),
                choices.stream().map(text -> (TextTokens.Choices) text.tokens()).toList(), passed);
        Map<Integer, Answerer.Answer> answers = new HashMap<>();
        for (int i = 0; i < chosen.size(); i++) {
            answers.put(choices.get(i).index(), chosen.get(i));
        }
        return answers;
    }

    /** All tokens that the model reads: the prompt, if its answer is not known yet. */
    private static int[] read(IndexedText text, Map<Integer, Answerer.Answer> answers) {
        return text.tokens() instanceof TextTokens.Prompt prompt ? prompt.ids() : answers.get(text.index()).read();
    }

    /** @param answers receives those to prompts */
    private Map<Integer, TextValues> measure(
            List<IndexedText> texts, Map<Integer, Answerer.Answer> answers, LayerHook passed) {
        Map<Integer, TextValues> values = new HashMap<>();
        if (texts.isEmpty()) {
            return values;
        }
        Batch batch = new Batch(texts.stream().map(text -> read(text, answers)).toList());
        List<TextValues> inOrder = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            inOrder.add(new TextValues(request, model, batch.texts().get(i).length));
            values.put(texts.get(i).index(), inOrder.get(i));
        }
        Tensor hidden = model.observe(batch, new LayerHook() {
            @Override
            public void attention(int layer, Attention attention) {
                add(inOrder, layer, attention);
            }

            @Override
            public void headOutputs(int layer, Tensor heads) {
                passed.headOutputs(layer, heads);
            }

            @Override
            public boolean readsHeadOutputs() {
                return passed.readsHeadOutputs();
            }
        });
        answer(texts, batch, hidden, answers);
        return values;
    }

    private void add(List<TextValues> values, int layer, LayerHook.Attention attention) {
        Backend backend = model.backend();
        List<Metric> metrics = HeadValues.fromStatistics(request.metrics());
        List<LayerResult> results = backend.measure(metrics, attention.statistics(), attention.spec());
        List<double[][]> spectra = HeadValues.needSymmetric(request.metrics())
                ? backend.symmetricSpectrum(attention.query(), attention.key(), attention.packing(), attention.spec())
                : List.of();
        for (int text = 0; text < values.size(); text++) {
            values.get(text).add(layer, results.get(text),
                    new TextRows(attention.packing(), text).statistics(attention.statistics()), attention.spec());
            if (!spectra.isEmpty()) {
                values.get(text).addSymmetric(layer, spectra.get(text));
            }
        }
    }

    /** Answers the prompts of a batch, each with one token. */
    private void answer(
            List<IndexedText> texts, Batch batch, Tensor hidden, Map<Integer, Answerer.Answer> answers) {
        List<IndexedText> prompts = new ArrayList<>();
        List<Integer> rows = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            if (texts.get(i).tokens() instanceof TextTokens.Prompt) {
                prompts.add(texts.get(i));
                rows.add(batch.first(i) + batch.texts().get(i).length - 1);
            }
        }
        if (prompts.isEmpty()) {
            return;
        }
        List<Answerer.Answer> given = answerer.answers(
                prompts.stream().map(text -> (TextTokens.Prompt) text.tokens()).toList(), hidden,
                rows.stream().mapToInt(Integer::intValue).toArray(),
                prompts.stream().map(text -> text.random(request)).toList());
        for (int i = 0; i < given.size(); i++) {
            answers.put(prompts.get(i).index(), given.get(i));
        }
    }
}
