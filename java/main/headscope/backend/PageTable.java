package headscope.backend;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/**
 * The pages of the texts of a {@link Packing}: keys, and likewise values, are rows of a pool [{@value TOKENS} * pages,
 * kvHeads * headDim], and key i of a text is row i % {@value TOKENS} of the text's page i / {@value TOKENS}. A pool serves texts of
 * different lengths that come and go. (Kwon et al. 2023, arXiv:2309.06180.)
 */
public final class PageTable {
    /** Tokens per page. */
    public static final int TOKENS = 16;

    private final int[] pages;
    private final int[] first;

    /** @param keys of each text, whose pages beyond them are ignored */
    PageTable(int[] keys, List<int[]> pages) {
        this.first = new int[keys.length + 1];
        for (int text = 0; text < keys.length; text++) {
            first[text + 1] = first[text] + count(keys[text]);
            if (pages.get(text).length < count(keys[text])) {
                throw new IllegalArgumentException(
                        "%d keys in %d pages of %d".formatted(keys[text], pages.get(text).length, TOKENS));
            }
        }
        this.pages = IntStream.range(0, keys.length)
                .flatMap(text -> Arrays.stream(pages.get(text), 0, count(keys[text])))
                .toArray();
        if (Arrays.stream(this.pages).distinct().count() != this.pages.length
                || Arrays.stream(this.pages).anyMatch(page -> page < 0)) {
            throw new IllegalArgumentException("pages must be different and at least 0: " + Arrays.toString(this.pages));
        }
    }

    /** The largest page. */
    int last() {
        return Arrays.stream(pages).max().orElseThrow();
    }

    /** The number of pages that hold this many tokens. */
    public static int count(int tokens) {
        return (tokens + TOKENS - 1) / TOKENS;
    }

    /** Pages of all texts, one text after the other. */
    public int[] pages() {
        return pages.clone();
    }

    /** Index in {@link #pages} of a text's first page. */
    public int first(int text) {
        return first[text];
    }

    /** The row of the pool that holds a key of a text. */
    public int row(int text, int key) {
        return pages[first[text] + key / TOKENS] * TOKENS + key % TOKENS;
    }

    /** The rows of the pool that receive the new keys of all texts, in order. */
    public int[] newRows(Packing packing) {
        return rows(packing, text -> text.keys() - text.queries());
    }

    /** The rows of the pool that hold the keys of all texts, in order. */
    public int[] rows(Packing packing) {
        return rows(packing, text -> 0);
    }

    private int[] rows(Packing packing, ToIntFunction<Packing.Text> from) {
        return IntStream.range(0, packing.count())
                .flatMap(text -> IntStream.range(from.applyAsInt(packing.text(text)), packing.text(text).keys())
                        .map(key -> row(text, key)))
                .toArray();
    }

    /** The row of each text's first key, if all keys of every text follow one another. */
    Optional<int[]> firstRows() {
        for (int text = 0; text + 1 < first.length; text++) {
            for (int i = first[text] + 1; i < first[text + 1]; i++) {
                if (pages[i] != pages[i - 1] + 1) {
                    return Optional.empty();
                }
            }
        }
        return Optional.of(IntStream.range(0, first.length - 1).map(text -> row(text, 0)).toArray());
    }
}
