package headscope.model;

import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.DecodingTexts;
import headscope.backend.DeviceMemoryException;
import headscope.backend.Packing;
import headscope.backend.PageTable;
import headscope.backend.Projections;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Texts that a model reads and continues together. A text has a slot from its beginning to its end; its keys and values lie
 * in pages of one pool.
 */
public final class SequenceBatch implements AutoCloseable {
    private static final int[] FREE = {};

    private final Backend backend;
    private final KeyPool pool;
    /** Of all layers, layer by layer, one text per slot. */
    private final Optional<AttentionStatistics> statistics;
    private final List<AttentionStatistics> ofLayers;
    private final int capacity;
    private final int[][] pages;
    private final int[] tokens;

    /**
     * Tokens that a pass appends to a text.
     *
     * @param ids at least one
     */
    public record Part(int slot, int[] ids) {}

    /**
     * @param texts     number of slots
     * @param capacity  maximum number of tokens of a text
     * @param allTokens number of tokens of as many texts as have a slot: the pool is smaller if memory does not suffice
     * @throws DeviceMemoryException if there is not enough memory for one text
     */
    SequenceBatch(
            ModelConfig config, Backend backend, int texts, int capacity, long allTokens, boolean withStatistics) {
        this.backend = backend;
        this.capacity = capacity;
        this.pages = new int[texts][];
        Arrays.fill(pages, FREE);
        this.tokens = new int[texts];
        int[] capacities = new int[config.layers() * texts];
        Arrays.fill(capacities, AttentionStatistics.aligned(capacity));
        this.statistics = withStatistics
                ? Optional.of(new AttentionStatistics(backend, config.heads(), capacities, Optional.empty()))
                : Optional.empty();
        this.ofLayers = statistics.stream()
                .flatMap(all -> IntStream.range(0, config.layers()).mapToObj(layer -> all.texts(layer * texts, texts)))
                .toList();
        try {
            int longest = PageTable.count(capacity);
            long all = Math.min(allTokens / PageTable.TOKENS + texts, (long) longest * texts);
            this.pool = new KeyPool(config, backend, Math.toIntExact(Math.max(longest, all)), longest);
        } catch (DeviceMemoryException full) {
            statistics.ifPresent(AttentionStatistics::close);
            throw full;
        }
    }

    /** Maximum number of tokens of a text. */
    public int capacity() {
        return capacity;
    }

    /**
     * Begins a text of at most this many tokens.
     *
     * @return its slot; empty if all slots are taken or the text does not fit into the pages that are free
     */
    public OptionalInt begin(int most) {
        for (int slot = 0; slot < pages.length; slot++) {
            if (pages[slot] == FREE) {
                Optional<int[]> taken = pool.take(PageTable.count(most));
                if (taken.isEmpty()) {
                    return OptionalInt.empty();
                }
                pages[slot] = taken.get();
                tokens[slot] = 0;
                for (AttentionStatistics layer : ofLayers) {
                    layer.text(slot).clear();
                }
                return OptionalInt.of(slot);
            }
        }
        return OptionalInt.empty();
    }

    /** Ends a text: another can have its slot and its pages. */
    public void end(int slot) {
        pool.giveBack(pages[slot]);
        pages[slot] = FREE;
    }

    /** Number of tokens of a text so far. */
    public int tokens(int slot) {
        return tokens[slot];
    }

    /**
     * Statistics of a layer's attention of one text.
     *
     * @throws IllegalStateException if no statistics are collected
     */
    public AttentionStatistics statistics(int layer, int slot) {
        return findStatistics(layer)
                .orElseThrow(() -> new IllegalStateException("these sequences collect no statistics"))
                .text(slot);
    }

    /** Of all texts, one per slot. */
    Optional<AttentionStatistics> findStatistics(int layer) {
        return ofLayers.isEmpty() ? Optional.empty() : Optional.of(ofLayers.get(layer));
    }

    /** Allocates texts that are described on the device. */
    Optional<DecodingTexts> decoding(DecodingTexts.Size size) {
        return backend.decoding(size, statistics, ofLayers.size());
    }

    /** The pass that appends these parts. */
    Packing packing(List<Part> parts) {
        List<Packing.Text> texts = new ArrayList<>();
        List<int[]> ofTexts = new ArrayList<>();
        for (Part part : parts) {
            texts.add(new Packing.Text(part.ids().length, tokens[part.slot()] + part.ids().length, part.slot()));
            ofTexts.add(pages[part.slot()]);
        }
        return Packing.paged(texts, ofTexts);
    }

    /** Where attention finds q, and the keys and values of all texts; {@link #grow} counts new tokens. */
    Projections operands(int layer, Tensor q) {
        return new Projections(q, pool.keys(layer), pool.values(layer));
    }

    /** The pages of a text, enough for the maximum number of its tokens. */
    int[] pages(int slot) {
        return pages[slot];
    }

    /** Called after a step in which the device has appended a token to each of these texts. */
    void grow(int[] slots) {
        ofLayers.forEach(layer -> layer.growWithoutRow(slots));
        Arrays.stream(slots).forEach(slot -> tokens[slot]++);
    }

    /** Called after the last layer. */
    void grow(Packing packing) {
        packing.texts().forEach(text -> tokens[text.slot()] = text.keys());
    }

    @Override
    public void close() {
        pool.close();
        statistics.ifPresent(AttentionStatistics::close);
    }
}
