package headscope.model;

import headscope.backend.Packing;
import java.util.Arrays;
import java.util.List;

/** Whole texts that a model processes together. Their tokens are the consecutive rows of every tensor. */
public record Batch(List<int[]> texts) {
    /** @throws IllegalArgumentException if there is no text, or a text has no token */
    public Batch {
        texts = List.copyOf(texts);
        if (texts.isEmpty() || texts.stream().anyMatch(ids -> ids.length == 0)) {
            throw new IllegalArgumentException("a batch needs at least one text, and each text at least one token");
        }
    }

    /** Number of tokens of all texts. */
    public int rows() {
        return texts.stream().mapToInt(ids -> ids.length).sum();
    }

    /** Row of a text's first token. */
    public int first(int text) {
        return texts.subList(0, text).stream().mapToInt(ids -> ids.length).sum();
    }

    /** Token ids of all texts, in order. */
    int[] ids() {
        return texts.stream().flatMapToInt(Arrays::stream).toArray();
    }

    /** Where the texts lie in the rows; the same for all layers of a pass. */
    Packing packing() {
        return Packing.whole(lengths());
    }

    /** Number of tokens of each text. */
    int[] lengths() {
        return texts.stream().mapToInt(ids -> ids.length).toArray();
    }
}
