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
 * Texts that go through the model together.
 *
 * @param first of them among all texts
 */
record GatedPass(int first, List<GatedText> texts) {
    /**
     * Texts in their order, cut where the next ones would be too many.
     *
     * @param most tokens of a pass; what belongs together and has more has a pass of its own
     */
    static List<GatedPass> of(List<GatedText> texts, int most) {
        List<GatedPass> passes = new ArrayList<>();
        int first = 0;
        int tokens = 0;
        for (int i = 0, next; i < texts.size(); i = next) {
            next = i + 1;
            while (next < texts.size() && texts.get(next).followsTheOneBefore()) {
                next++;
            }
            int together = texts.subList(i, next).stream().mapToInt(text -> text.text().read().length).sum();
            if (i > first && tokens + together > most) {
                passes.add(new GatedPass(first, texts.subList(first, i)));
                first = i;
                tokens = 0;
            }
            tokens += together;
        }
        passes.add(new GatedPass(first, texts.subList(first, texts.size())));
        return passes;
    }

    /** Some of them. */
    GatedPass part(int from, int count) {
        return new GatedPass(first + from, texts.subList(from, from + count));
    }

    Batch batch() {
        return new Batch(texts.stream().map(text -> text.text().read()).toList());
    }

    /** @param masks [masks][layers * heads] */
    HeadGates gates(Transformer model, float[][] masks) {
        HeadGates gates = new HeadGates(model, texts.size());
        for (int text = 0; text < texts.size(); text++) {
            gates.set(text, 0, masks[texts.get(text).mask()]);
        }
        return gates;
    }

    /** Those that predict answers, text by text. */
    int[] rows() {
        IntStream.Builder rows = IntStream.builder();
        int start = 0;
        for (GatedText gated : texts) {
            PromptAnswer text = gated.text();
            for (int token = 0; token < text.answerTokens(); token++) {
                rows.add(start + text.firstRow() + token);
            }
            start += text.read().length;
        }
        return rows.build().toArray();
    }

    /** What the rows should predict. */
    int[] targets() {
        return texts.stream().flatMapToInt(text -> Arrays.stream(text.answer())).toArray();
    }

    /** What the rows count in the loss: a text's weight, shared alike among its answer's tokens. */
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
