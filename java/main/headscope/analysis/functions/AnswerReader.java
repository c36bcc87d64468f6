package headscope.analysis.functions;

import headscope.analysis.Predictions;
import headscope.analysis.Progress;
import headscope.analysis.PromptAnswer;
import headscope.analysis.TextBatches;
import headscope.analysis.functions.FunctionsRequest.AnswerTokens;
import headscope.model.Batch;
import headscope.model.HeadGates;
import headscope.model.LayerHook;
import headscope.model.ModelConfig;
import headscope.model.Transformer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * Runs prompts with their answers through a model: one pass predicts every answer token from those before it.
 *
 * @param batches how texts are divided into passes
 */
record AnswerReader(Transformer model, TextBatches batches) {
    /**
     * Reads texts in one pass.
     *
     * @param progress learns how many of the texts are done
     */
    List<Observation> read(List<PromptAnswer> texts, AnswerTokens tokens, Progress progress) {
        progress.within(0);
        List<Observation> observations = new ArrayList<>();
        model.splitOnOutOfMemory(texts.size(), (first, count) -> observations.addAll(
                readTogether(texts.subList(first, first + count), tokens, first, progress)));
        return observations;
    }

    /** @param before number of texts of the batch that have been read */
    private List<Observation> readTogether(
            List<PromptAnswer> texts, AnswerTokens tokens, int before, Progress progress) {
        ModelConfig config = model.config();
        int width = config.heads() * config.headDim();
        Batch batch = new Batch(texts.stream().map(PromptAnswer::inputs).toList());
        List<float[]> outputs = texts.stream().map(text -> new float[config.layers() * width]).toList();
        int[] counts = texts.stream().mapToInt(text -> tokens == AnswerTokens.ALL ? text.answerTokens() : 1).toArray();
        int[] rows = IntStream.range(0, texts.size()).flatMap(text -> {
            int skipped = tokens == AnswerTokens.LAST ? texts.get(text).answerTokens() - 1 : 0;
            int first = batch.first(text) + texts.get(text).firstRow() + skipped;
            return IntStream.range(first, first + counts[text]);
        }).toArray();
        Tensor chosen = model.backend().allocate(DType.F32, rows.length, width);
        try {
            LayerHook hook = new LayerHook() {
                @Override
                public boolean readsHeadOutputs() {
                    return true;
                }

                @Override
                public void headOutputs(int layer, Tensor heads) {
                    model.backend().embed(chosen, heads, rows);
                    float[] all = model.backend().download(chosen);
                    int row = 0;
                    for (int text = 0; text < counts.length; text++) {
                        average(outputs.get(text), layer * width, all, row, counts[text], width);
                        row += counts[text];
                    }
                    progress.within(before + texts.size() * (layer + 1.0) / config.layers());
                }
            };
            List<int[]> predicted = predicted(model.read(batch, Optional.empty(), hook), batch, texts);
            return IntStream.range(0, texts.size())
                    .mapToObj(text -> new Observation(outputs.get(text), predicted.get(text)))
                    .toList();
        } finally {
            chosen.buffer().close();
        }
    }

    /** @param rows [all rows, width], of which those from {@code first} on are averaged */
    private static void average(float[] destination, int at, float[] rows, int first, int count, int width) {
        for (int i = 0; i < width; i++) {
            double sum = 0;
            for (int row = first; row < first + count; row++) {
                sum += rows[row * width + i];
            }
            destination[at + i] = (float) (sum / count);
        }
    }

    /**
     * Counts the texts whose answer the model predicts while heads are ablated. Heads are ablated from the row that
     * predicts the first answer token on, as if the model generated the answer itself.
     *
     * @param factors on the outputs of heads, [layers, heads]
     */
    int countRight(List<PromptAnswer> texts, float[] factors) {
        AtomicInteger right = new AtomicInteger();
        int[] all = IntStream.range(0, texts.size()).toArray();
        for (int[] batch : batches.of(all, text -> texts.get(text).inputs().length)) {
            List<PromptAnswer> together = Arrays.stream(batch).mapToObj(texts::get).toList();
            model.splitOnOutOfMemory(batch.length, (first, count) ->
                    right.addAndGet(countRightInBatch(together.subList(first, first + count), factors)));
        }
        return right.get();
    }

    private int countRightInBatch(List<PromptAnswer> texts, float[] factors) {
        Batch batch = new Batch(texts.stream().map(PromptAnswer::inputs).toList());
        try (HeadGates gates = new HeadGates(
                model, texts.stream().map(text -> new HeadGates.OfText(text.firstRow(), factors)).toList())) {
            List<int[]> predicted = predicted(model.read(batch, Optional.of(gates), LayerHook.NONE), batch, texts);
            return (int) IntStream.range(0, texts.size()).filter(i -> texts.get(i).matches(predicted.get(i))).count();
        }
    }

    /** The most probable token at the place of each answer token, for each text. */
    private List<int[]> predicted(Tensor hidden, Batch batch, List<PromptAnswer> texts) {
        int[] rows = IntStream.range(0, texts.size())
                .flatMap(i -> IntStream.range(0, texts.get(i).answerTokens())
                        .map(row -> batch.first(i) + texts.get(i).firstRow() + row))
                .toArray();
        int[] tokens = new Predictions(model, hidden).argmax(rows);
        List<int[]> predicted = new ArrayList<>();
        int at = 0;
        for (PromptAnswer text : texts) {
            predicted.add(Arrays.copyOfRange(tokens, at, at + text.answerTokens()));
            at += text.answerTokens();
        }
        return predicted;
    }
}
