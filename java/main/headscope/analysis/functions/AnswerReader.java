package headscope.analysis.functions;

import headscope.analysis.Progress;
import headscope.analysis.PromptAnswer;

import headscope.model.Batch;
import headscope.model.HeadGates;
import headscope.model.LayerHook;
import headscope.model.ModelConfig;
import headscope.model.Tape;
import headscope.model.Transformer;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Runs prompts with their answers through a model: one pass predicts every answer token from those before it. */
record AnswerReader(Transformer model) {
    /** Maximum number of rows of a pass over several texts; a longer text has a pass of its own. */
    private static final int ROWS = 1024;

    /** @param progress learns through which share of the layers the text has passed */
    Observation read(PromptAnswer text, FunctionsRequest.AnswerTokens tokens, Progress progress) {
        progress.within(0);
        ModelConfig config = model.config();
        int last = text.firstRow() + text.answerTokens() - 1;
        int first = tokens == FunctionsRequest.AnswerTokens.LAST ? last : text.firstRow();
        int count = tokens == FunctionsRequest.AnswerTokens.ALL ? text.answerTokens() : 1;
        int width = config.heads() * config.headDim();
        float[] outputs = new float[config.layers() * width];
        LayerHook hook = new LayerHook() {
            @Override
            public void headOutputs(int layer, Tensor heads) {
                average(outputs, layer * width, model.backend().download(heads.rows(first, count)), count);
                progress.within((layer + 1.0) / config.layers());
            }
        };
        Batch batch = new Batch(List.of(text.inputs()));
        try (Tape tape = model.forward(batch, Optional.empty(), hook)) {
            return new Observation(outputs, predicted(tape, List.of(text)).getFirst());
        }
    }

    /** @param rows [count, width] */
    private static void average(float[] destination, int at, float[] rows, int count) {
        int width = rows.length / count;
        for (int i = 0; i < width; i++) {
            double sum = 0;
            for (int row = 0; row < count; row++) {
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
        int[] right = new int[texts.size()];
        for (int first = 0, end; first < texts.size(); first = end) {
            int start = first;
            end = first + 1;
            for (int rows = length(texts.get(first)); end < texts.size()
                    && rows + length(texts.get(end)) <= ROWS; end++) {
                rows += length(texts.get(end));
            }
            model.splitOnOutOfMemory(end - start, (from, count) ->
                    right[start + from] = countRightInBatch(texts.subList(start + from, start + from + count), factors));
        }
        return Arrays.stream(right).sum();
    }

    private static int length(PromptAnswer text) {
        return text.ids().length - 1;
    }

    private int countRightInBatch(List<PromptAnswer> texts, float[] factors) {
        Batch batch = new Batch(texts.stream().map(PromptAnswer::inputs).toList());
        try (HeadGates gates = new HeadGates(model, texts.size())) {
            for (int text = 0; text < texts.size(); text++) {
                gates.set(text, texts.get(text).firstRow(), factors);
            }
            try (Tape tape = model.forward(batch, Optional.of(gates), LayerHook.NONE)) {
                List<int[]> predicted = predicted(tape, texts);
                return (int) IntStream.range(0, texts.size()).filter(i -> texts.get(i).matches(predicted.get(i))).count();
            }
        }
    }

    /** The most probable token at the place of each answer token, for each text. */
    private List<int[]> predicted(Tape tape, List<PromptAnswer> texts) {
        int[] rows = IntStream.range(0, texts.size())
                .flatMap(i -> IntStream.range(0, texts.get(i).answerTokens())
                        .map(row -> tape.batch().first(i) + texts.get(i).firstRow() + row))
                .toArray();
        int[] tokens = model.backend().argmax(model.logits(tape, rows));
        List<int[]> predicted = new ArrayList<>();
        int at = 0;
        for (PromptAnswer text : texts) {
            predicted.add(Arrays.copyOfRange(tokens, at, at + text.answerTokens()));
            at += text.answerTokens();
        }
        return predicted;
    }
}
