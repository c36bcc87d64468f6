package headscope.backend.cpu;

import headscope.backend.Packing;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The units of work of a call of attention: a text, a head and a stripe of query rows. The largest come first, so that the
 * pieces that finish last are short.
 */
final class AttentionPieces {
    private final List<Stripes> stripes;
    /** Texts in the order of their work. */
    private final int[] texts;
    /** Stripes of all texts before one in this order. */
    private final int[] before;

    AttentionPieces(Packing packing, boolean causal) {
        this.stripes = packing.texts().stream().map(text -> Stripes.of(text.queries(), causal)).toList();
        this.texts = IntStream.range(0, packing.count())
                .boxed()
                .sorted(Comparator.comparingLong(text -> -area(packing.text(text))))
                .mapToInt(text -> text)
                .toArray();
        this.before = new int[texts.length + 1];
        for (int i = 0; i < texts.length; i++) {
            before[i + 1] = before[i] + stripes.get(texts[i]).count();
        }
    }

    private static long area(Packing.Text text) {
        return (long) text.queries() * text.keys();
    }

    interface Piece {
        void run(int text, int head, int stripe);
    }

    interface Head {
        void run(int text, int head);
    }

    Stripes stripes(int text) {
        return stripes.get(text);
    }

    /** Whether the text is one piece for each head. */
    boolean isWhole(int text) {
        return stripes.get(text).count() == 1;
    }

    void each(Workers workers, int heads, Piece work) {
        int[] rankOf = ranks();
        workers.each(rankOf.length * heads, piece -> {
            int rank = rankOf[piece / heads];
            int text = texts[rank];
            // The last stripe has the longest rows.
            int stripe = before[rank + 1] - 1 - piece / heads;
            work.run(text, piece % heads, stripe);
        });
    }

    /** For each stripe of all texts, the place of its text in the order of work. */
    private int[] ranks() {
        int[] ranks = new int[before[texts.length]];
        for (int rank = 0; rank < texts.length; rank++) {
            for (int stripe = before[rank]; stripe < before[rank + 1]; stripe++) {
                ranks[stripe] = rank;
            }
        }
        return ranks;
    }

    /** Calls once for each head of the texts that have several stripes. */
    void eachDivided(Workers workers, int heads, Head work) {
        int[] divided = IntStream.of(texts).filter(text -> !isWhole(text)).toArray();
        if (divided.length > 0) {
            workers.each(divided.length * heads, piece -> work.run(divided[piece / heads], piece % heads));
        }
    }
}
