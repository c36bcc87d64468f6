package headscope.backend.cuda;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Packing;
import headscope.backend.PageTable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/**
 * Texts that one launch covers: where their rows lie in packed tensors, and their vectors over tokens in the statistics.
 *
 * @param alone whether the only text begins at the first row and element, so that kernels need no table
 */
record PackedTexts(List<Entry> entries, boolean alone) {
    /**
     * The part of TextTile in cuda/text_tile.cuh that all tiles of a text share.
     *
     * @param statistics element at which the text's [heads, capacity] begin
     * @param capacity   0 for the vectors [heads, queries] of a text alone
     * @param firstPage  index of the text's first page in the table of pages, if its keys lie in pages; its first key is 0
     *                   then
     */
    record Entry(
            long statistics, int capacity, int slot, int queries, int keys, int firstQuery, int firstKey, int firstPage) {
        /** The same text, whose keys begin at a row of k, without pages. */
        Entry withKeys(int first) {
            return new Entry(statistics, capacity, slot, queries, keys, firstQuery, first, 0);
        }

        /** Keys before the text's own, in k or in the pages of the table. */
        private long keysBefore() {
            return firstKey + (long) firstPage * PageTable.TOKENS;
        }
    }

    /** Texts whose vectors are those of statistics. */
    static PackedTexts of(Packing packing, AttentionStatistics statistics) {
        return new PackedTexts(
                IntStream.range(0, packing.count())
                        .mapToObj(i -> {
                            Packing.Text text = packing.text(i);
                            return new Entry(statistics.offset(text.slot()), statistics.capacity(text.slot()),
                                    text.slot(), text.queries(), text.keys(), packing.firstQuery(i),
                                    firstKey(packing, i), firstPage(packing, i));
                        })
                        .toList(),
                packing.count() == 1 && statistics.texts() == 1 && packing.decoding().isEmpty());
    }

    /** Texts whose vectors are [heads, queries], one text after the other. */
    static PackedTexts ofRows(Packing packing, AttentionSpec spec) {
        if (packing.count() == 1 && packing.decoding().isEmpty()) {
            Packing.Text only = packing.text(0);
            return new PackedTexts(List.of(new Entry(0, 0, 0, only.queries(), only.keys(), 0, 0, 0)), true);
        }
        return new PackedTexts(
                IntStream.range(0, packing.count())
                        .mapToObj(i -> {
                            Packing.Text text = packing.text(i);
                            // Kernels count the elements of a vector from the text's first token.
                            int before = spec.causal() ? text.keys() - text.queries() : 0;
                            return new Entry((long) spec.heads() * packing.firstQuery(i) - before, text.queries(), 0,
                                    text.queries(), text.keys(), packing.firstQuery(i), firstKey(packing, i),
                                    firstPage(packing, i));
                        })
                        .toList(),
                false);
    }

    /** All tokens so far of every text of the statistics. */
    static PackedTexts all(AttentionStatistics statistics) {
        return new PackedTexts(
                IntStream.range(0, statistics.texts())
                        .mapToObj(i -> {
                            int tokens = statistics.text(i).tokens();
                            return new Entry(statistics.offset(i), statistics.capacity(i), i, tokens, tokens, 0, 0, 0);
                        })
                        .toList(),
                statistics.texts() == 1);
    }

    private static int firstKey(Packing packing, int text) {
        return packing.pages().isPresent() || packing.decoding().isPresent() ? 0 : packing.firstKey(text);
    }

    private static int firstPage(Packing packing, int text) {
        return packing.decoding().map(texts -> text * texts.size().pages())
                .or(() -> packing.pages().map(pages -> pages.first(text)))
                .orElse(0);
    }

    /** The same texts, whose keys follow one another. */
    PackedTexts gathered() {
        List<Entry> moved = new ArrayList<>();
        int first = 0;
        for (Entry text : entries) {
            moved.add(text.withKeys(first));
            first += text.keys();
        }
        return new PackedTexts(moved, alone);
    }

    PackedTexts only(Predicate<Entry> wanted) {
        List<Entry> some = entries.stream().filter(wanted).toList();
        return new PackedTexts(some, alone && some.size() == 1);
    }

    boolean isEmpty() {
        return entries.isEmpty();
    }

    Entry first() {
        return entries.getFirst();
    }

    int longest() {
        return entries.stream().mapToInt(Entry::keys).max().orElseThrow();
    }

    int mostQueries() {
        return entries.stream().mapToInt(Entry::queries).max().orElseThrow();
    }

    /**
     * Number of parts that text_part in cuda/attention_splits.cuh counts.
     *
     * @param keys keys per part
     * @param more further parts per text
     */
    int parts(int keys, int more) {
        return IntStream.range(0, entries.size())
                .mapToLong(text -> {
                    long before = alone ? 0 : entries.get(text).keysBefore() / keys + text * (1L + more);
                    return before + more + (entries.get(text).keys() + keys - 1L) / keys;
                })
                .mapToInt(Math::toIntExact)
                .max()
                .orElseThrow();
    }
}
