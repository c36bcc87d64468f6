package headscope.model;

import headscope.backend.Backend;
import headscope.backend.Packing;
import headscope.backend.RowRanges;
import headscope.model.RopeTables.Angles;
import headscope.tensor.Tensor;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** What all layers of a pass share: where its texts lie in the rows, and the positions of their tokens. */
final class Pass implements AutoCloseable {
    private final Backend backend;
    private final RopeTables ropes;
    private final Packing packing;
    /** Rows of the tables, in the order of the pass; of several texts only. */
    private final Map<Rope, Angles> gathered = new HashMap<>();

    Pass(Backend backend, RopeTables ropes, Packing packing) {
        this.backend = backend;
        this.ropes = ropes;
        this.packing = packing;
    }

    Packing packing() {
        return packing;
    }

    /** Number of rows: new tokens of all texts. */
    int rows() {
        return packing.queries();
    }

    /** The rotation of each row. */
    Angles angles(Rope rope) {
        if (packing.decoding().isPresent()) {
            return gathered.computeIfAbsent(rope, one -> ropes.gather(one, packing.decoding().get()));
        }
        return packing.count() == 1
                ? ropes.angles(rope, firstPosition(), rows())
                : gathered.computeIfAbsent(rope, one -> ropes.gather(one, packing.positions()));
    }

    /** Row of each token's position in a table [positions, width]; scratch [rows, width] is written if need be. */
    Tensor positions(Tensor table, Tensor scratch) {
        if (packing.decoding().isPresent()) {
            packing.decoding().get().embedPositions(scratch, table);
            return scratch;
        }
        if (packing.count() == 1) {
            return table.rows(firstPosition(), rows());
        }
        backend.embed(scratch, table, packing.positions());
        return scratch;
    }

    private int firstPosition() {
        return packing.text(0).keys() - packing.text(0).queries();
    }

    /** The rows of each text that gates multiply; without gates all of its rows. */
    RowRanges gated(Optional<HeadGates> gates) {
        int[] first = new int[packing.count()];
        int[] end = new int[packing.count()];
        for (int text = 0; text < first.length; text++) {
            int rows = packing.text(text).queries();
            int at = text;
            first[text] = packing.firstQuery(text) + gates.map(set -> Math.min(set.fromToken(at), rows)).orElse(0);
            end[text] = packing.firstQuery(text) + rows;
        }
        return new RowRanges(first, end);
    }

    @Override
    public void close() {
        gathered.values().forEach(Angles::close);
    }
}
