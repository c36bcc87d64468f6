package headscope.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Whole texts that go through a model together, packed one after the other in the rows of every tensor. */
public record Batch(List<int[]> texts) {
    /** @throws IllegalArgumentException without a text, or with one that has no token */
    public Batch {
        texts = List.copyOf(texts);
        if (texts.isEmpty() || texts.stream().anyMatch(ids -> ids.length == 0)) {
            throw new IllegalArgumentException("a batch has at least one text, and a text at least one token");
        }
    }

    /** Tokens of all texts. */
    public int rows() {
        return texts.stream().mapToInt(ids -> ids.length).sum();
    }

    /** The row of a text's first token. */
    public int first(int text) {
        return texts.subList(0, text).stream().mapToInt(ids -> ids.length).sum();
    }

    /** A text's tokens. */
    public int count(int text) {
        return texts.get(text).length;
    }

    /** Tokens of all texts in order. */
    int[] ids() {
        return texts.stream().flatMapToInt(Arrays::stream).toArray();
    }

    List<Span> spans() {
        List<Span> spans = new ArrayList<>();
        int first = 0;
        for (int[] ids : texts) {
            spans.add(new Span(first, 0, ids.length));
            first += ids.length;
        }
        return spans;
    }
}
