package headscope.analysis.gates;

import headscope.analysis.PromptAnswer;

import headscope.model.Batch;
import headscope.model.HeadGates;
import headscope.model.Transformer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Texts that share a forward pass.
 *
 * @param first index of the first one among all texts
 */
record GatedPass(int first, List<GatedText> texts) {
    /**
     * Divides texts into passes, in order.
     *
     * @param maxTokens of a pass; paired texts with more have a pass of their own
     */
    static List<GatedPass> of(List<GatedText> texts, int maxTokens) {
        List<GatedPass> passes = new ArrayList<>();
        int first = 0;
        int tokens = 0;
        for (int i = 0, next; i < texts.size(); i = next) {
            next = i + 1;
            while (next < texts.size() && texts.get(next).isPairedWithPrevious()) {
                next++;
            }
            int together = texts.subList(i, next).stream().mapToInt(text -> text.text().inputs().length).sum();
            if (i > first && tokens + together > maxTokens) {
                passes.add(new GatedPass(first, texts.subList(first, i)));
                first = i;
                tokens = 0;
            }
            tokens += together;
        }
        passes.add(new GatedPass(first, texts.subList(first, texts.size())));
        return passes;
    }

    /** A part of the pass. */
    GatedPass part(int from, int count) {
        return new GatedPass(first + from, texts.subList(from, from + count));
    }

    Batch batch() {
        return new Batch(texts.stream().map(text -> text.text().inputs()).toList());
    }

    /** @param masks [masks][layers * heads] */
    HeadGates gates(Transformer model, float[][] masks) {
        return new HeadGates(model, texts.stream().map(text -> new HeadGates.OfText(0, masks[text.mask()])).toList());
    }

    /** The rows that predict answer tokens, text by text. */
    int[] rows() {
        IntStream.Builder rows = IntStream.builder();
        int start = 0;
        for (GatedText gated : texts) {
            PromptAnswer text = gated.text();
            for (int token = 0; token < text.answerTokens(); token++) {
                rows.add(start + text.firstRow() + token);
            }
            start += text.inputs().length;
        }
        return rows.build().toArray();
    }

    /** The answer tokens, one per row. */
    int[] targets() {
        return texts.stream().flatMapToInt(text -> Arrays.stream(text.answer())).toArray();
    }

    /** The weight of each row in the loss: a text's weight, divided equally among its answer tokens. */
    float[] factors() {
        float[] factors = new float[targets().length];
        int row = 0;
        for (GatedText text : texts) {
            int end = row + text.text().answerTokens();
            Arrays.fill(factors, row, end, text.weight() / text.text().answerTokens());
            row = end;
        }
        return factors;
    }
}
