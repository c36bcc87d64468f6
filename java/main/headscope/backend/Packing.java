package headscope.backend;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Where the texts of a batch lie in its packed tensors: the queries of all texts follow one another, and so do their
 * keys, without padding. Each text attends only to itself; its queries are the last of its keys. (The layout of flash
 * attention's variable-length interface: Dao 2023, arXiv:2307.08691.)
 *
 * <p>The keys and values of texts that are being continued lie in the pages of a pool instead: see {@link PageTable}.
 *
 * <p>Make one packing per pass and use it for every layer: a GPU keeps the description of the last one.
 */
public final class Packing {
    private final List<Text> texts;
    private final int[] firstQuery;
    private final int[] firstKey;
    private final Optional<PageTable> pages;
    private final Optional<DecodingTexts> decoding;

    /**
     * One text.
     *
     * @param queries new tokens, at least 1
     * @param keys    all tokens so far, at least {@code queries}
     * @param slot    index of the text in {@link AttentionStatistics}; different for each text of a packing
     */
    public record Text(int queries, int keys, int slot) {
        public Text {
            if (queries < 1 || keys < queries || slot < 0) {
                throw new IllegalArgumentException("%d queries, %d keys, slot %d".formatted(queries, keys, slot));
            }
        }
    }

    /** @throws IllegalArgumentException if there is no text, or two have the same slot */
    public Packing(List<Text> texts) {
        this(texts, starts(texts.stream().mapToInt(Text::keys).toArray()), Optional.empty(), Optional.empty());
    }

    private Packing(
            List<Text> texts, int[] firstKey, Optional<PageTable> pages, Optional<DecodingTexts> decoding) {
        if (texts.isEmpty() || texts.stream().mapToInt(Text::slot).distinct().count() != texts.size()) {
            throw new IllegalArgumentException("a packing needs at least one text, and a slot for each: " + texts);
        }
        this.texts = List.copyOf(texts);
        this.firstQuery = starts(texts.stream().mapToInt(Text::queries).toArray());
        this.firstKey = firstKey;
        this.pages = pages;
        this.decoding = decoding;
    }

    /**
     * Texts whose keys and values lie in pages.
     *
     * @param pages of each text, in the order of its keys
     * @throws IllegalArgumentException if a text has too few pages
     */
    public static Packing paged(List<Text> texts, List<int[]> pages) {
        int[] keys = texts.stream().mapToInt(Text::keys).toArray();
        return new Packing(texts, starts(keys), Optional.of(new PageTable(keys, pages)), Optional.empty());
    }

    /** Texts that are described on the device, with one new token each and as many keys as there is room for. */
    public static Packing of(DecodingTexts decoding) {
        DecodingTexts.Size size = decoding.size();
        List<Text> texts = IntStream.range(0, size.texts()).mapToObj(i -> new Text(1, size.tokens(), i)).toList();
        return new Packing(texts, new int[size.texts() + 1], Optional.empty(), Optional.of(decoding));
    }

    /** One text, of which the last tokens are new. */
    public static Packing of(int queries, int keys) {
        return new Packing(List.of(new Text(queries, keys, 0)));
    }

    /** Whole texts of these lengths. */
    public static Packing whole(int... tokens) {
        List<Text> texts = new ArrayList<>();
        for (int count : tokens) {
            texts.add(new Text(count, count, texts.size()));
        }
        return new Packing(texts);
    }

    private static int[] starts(int[] lengths) {
        int[] starts = new int[lengths.length + 1];
        for (int i = 0; i < lengths.length; i++) {
            starts[i + 1] = Math.addExact(starts[i], lengths[i]);
        }
        return starts;
    }

    public int count() {
        return texts.size();
    }

    public Text text(int index) {
        return texts.get(index);
    }

    public List<Text> texts() {
        return texts;
    }

    /** Rows of the queries of all texts. */
    public int queries() {
        return firstQuery[texts.size()];
    }

    /** Keys of all texts. */
    public int keys() {
        return texts.stream().mapToInt(Text::keys).sum();
    }

    /** The row of a text's first query. */
    public int firstQuery(int text) {
        return firstQuery[text];
    }

    /** The row of a text's first key. */
    public int firstKey(int text) {
        return firstKey[text];
    }

    /** Where keys and values lie, if in pages. */
    public Optional<PageTable> pages() {
        return pages;
    }

    /** The texts on the device, if their positions, keys and pages are not known on the host. */
    public Optional<DecodingTexts> decoding() {
        return decoding;
    }

    /** The same texts, without pages: keys of all texts one after the other. */
    public Packing withoutPages() {
        return new Packing(texts);
    }

    /** The same texts, their keys where they lie in the pool; empty if the pages of a text do not follow one another. */
    public Optional<Packing> inPool() {
        return pages.flatMap(PageTable::firstRows)
                .map(rows -> new Packing(texts, rows, Optional.empty(), Optional.empty()));
    }

    /** Whether all tokens of every text are new. */
    public boolean isWhole() {
        return queries() == keys();
    }

    /** Positions in their texts of all queries, which are the last of each text [queries]. */
    public int[] positions() {
        return texts.stream()
                .flatMapToInt(text -> IntStream.range(text.keys() - text.queries(), text.keys()))
                .toArray();
    }

    @Override
    public String toString() {
        return "%d texts with %d queries and %d keys".formatted(count(), queries(), keys());
    }
}
