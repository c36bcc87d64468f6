package headscope.backend;

import headscope.tensor.DType;
import headscope.tensor.Tensor;

/** Keys and values in pages, row by row. */
final class ReferencePages {
    private ReferencePages() {}

    /** Rows of all texts, one text after the other. */
    static Tensor gathered(Backend backend, Tensor pool, Packing packing) {
        Tensor rows = backend.allocate(DType.F32, packing.keys(), pool.size(1));
        for (int i = 0; i < packing.count(); i++) {
            for (int key = 0; key < packing.text(i).keys(); key++) {
                copy(rows, packing.firstKey(i) + key, pool, row(packing, i, key));
            }
        }
        return rows;
    }

    private static int row(Packing packing, int text, int key) {
        return packing.pages().orElseThrow().row(text, key);
    }

    private static void copy(Tensor to, long toRow, Tensor from, long fromRow) {
        for (int j = 0; j < to.size(1); j++) {
            Reference.set(to, toRow * to.size(1) + j, Reference.get(from, fromRow * to.size(1) + j));
        }
    }
}
