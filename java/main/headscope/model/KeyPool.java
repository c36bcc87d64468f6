package headscope.model;

import headscope.backend.Backend;
import headscope.backend.DeviceMemoryException;
import headscope.backend.PageTable;
import headscope.tensor.Tensor;
import java.util.BitSet;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Keys and values of every layer of texts that come and go, in pages of {@link PageTable#TOKENS} tokens. A text takes
 * the pages of all tokens that it may have when it begins, so that none has to leave for want of pages.
 */
final class KeyPool implements AutoCloseable {
    private final Tensor rows; // [layers * (keys, values) * pages * TOKENS, kvHeads * headDim]
    private final long rowsOfLayer;
    private final BitSet free;

    /**
     * @param pages   number of pages for which all texts at once have room
     * @param atLeast number of pages of the longest text
     * @throws DeviceMemoryException if there is not enough memory for the longest text
     */
    KeyPool(ModelConfig config, Backend backend, int pages, int atLeast) {
        int fitting = pages;
        Optional<Tensor> allocated = Optional.empty();
        while (allocated.isEmpty()) {
            try {
                allocated = Optional.of(backend.allocate(
                        backend.operands(), 2L * config.layers() * fitting * PageTable.TOKENS, config.keyWidth()));
            } catch (DeviceMemoryException full) {
                if (fitting == atLeast) {
                    throw full;
                }
                fitting = Math.max(atLeast, fitting / 2);
            }
        }
        this.rows = allocated.get();
        this.rowsOfLayer = (long) fitting * PageTable.TOKENS;
        this.free = new BitSet();
        free.set(0, fitting);
    }

    /** Keys of a layer [{@link PageTable#TOKENS} * pages, kvHeads * headDim], in {@link Backend#operands}. */
    Tensor keys(int layer) {
        return rows.rows(2 * layer * rowsOfLayer, rowsOfLayer);
    }

    /** Values, like {@link #keys}. */
    Tensor values(int layer) {
        return rows.rows((2 * layer + 1) * rowsOfLayer, rowsOfLayer);
    }

    /** Takes this many pages, if possible such that follow one another; empty if fewer are free. */
    Optional<int[]> take(int count) {
        if (free.cardinality() < count) {
            return Optional.empty();
        }
        int[] pages = run(count).orElseGet(() -> free.stream().limit(count).toArray());
        IntStream.of(pages).forEach(free::clear);
        return Optional.of(pages);
    }

    /** The first free pages that follow one another. */
    private Optional<int[]> run(int count) {
        for (int first = free.nextSetBit(0); first >= 0; first = free.nextSetBit(free.nextClearBit(first))) {
            if (free.nextClearBit(first) - first >= count) {
                return Optional.of(IntStream.range(first, first + count).toArray());
            }
        }
        return Optional.empty();
    }

    void giveBack(int[] pages) {
        IntStream.of(pages).forEach(free::set);
    }

    @Override
    public void close() {
        rows.buffer().close();
    }
}
