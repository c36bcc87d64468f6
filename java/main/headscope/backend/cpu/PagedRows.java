package headscope.backend.cpu;

import headscope.backend.Packing;
import headscope.backend.PageTable;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** Copies keys and values out of pages that do not follow one another. */
final class PagedRows implements AutoCloseable {
    private final Scratch scratch = new Scratch();
    private MemorySegment keys = MemorySegment.NULL;
    private MemorySegment values = MemorySegment.NULL;

    /** Keys of all texts, one after the other [keys, width]; valid until the next call. */
    Tensor keys(Tensor pool, Packing packing) {
        keys = scratch.grow(keys, bytes(pool, packing));
        return gather(keys, pool, packing);
    }

    /** Values, like {@link #keys}. */
    Tensor values(Tensor pool, Packing packing) {
        values = scratch.grow(values, bytes(pool, packing));
        return gather(values, pool, packing);
    }

    private static long bytes(Tensor pool, Packing packing) {
        return packing.keys() * pool.size(1) * Float.BYTES;
    }

    private static Tensor gather(MemorySegment memory, Tensor pool, Packing packing) {
        Buffer buffer = new Buffer(memory.asSlice(0, bytes(pool, packing)), () -> {});
        Tensor gathered = Tensor.of(buffer, DType.F32, packing.keys(), pool.size(1));
        for (int text = 0; text < packing.count(); text++) {
            gather(gathered.rows(packing.firstKey(text), packing.text(text).keys()), pool, packing.pages().orElseThrow(), text);
        }
        return gathered;
    }

    /** Page by page. */
    private static void gather(Tensor rows, Tensor pool, PageTable table, int text) {
        for (int key = 0; key < rows.size(0); key += PageTable.TOKENS) {
            int count = Math.min(rows.intSize(0) - key, PageTable.TOKENS);
            rows.rows(key, count).bytes().copyFrom(pool.rows(table.row(text, key), count).bytes());
        }
    }

    /** Bytes of temporary memory, which is kept until {@link #close}. */
    long bytes() {
        return scratch.bytes();
    }

    @Override
    public void close() {
        scratch.close();
    }
}
