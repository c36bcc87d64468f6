package headscope.model;

import headscope.backend.Backend;
import headscope.backend.DecodingTexts;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.DoubleUnaryOperator;

/** Tables of cosine and sine per position, computed when a position is first needed; one pair per rope. */
final class RopeTables implements AutoCloseable {
    private static final int MIN_POSITIONS = 256;

    /** Both tensors are [positions, rotated / 2]. */
    record Angles(Tensor cosine, Tensor sine) {
        void close() {
            cosine.buffer().close();
            sine.buffer().close();
        }
    }

    private final Backend backend;
    private final Map<Rope, Angles> tables = new HashMap<>();
    private int moves;

    RopeTables(Backend backend) {
        this.backend = backend;
    }

    /** Rows of the positions first .. first + count - 1; valid until longer texts are processed. */
    Angles angles(Rope rope, int first, int count) {
        Angles table = table(rope, first + count);
        return new Angles(table.cosine().rows(first, count), table.sine().rows(first, count));
    }

    /** Rows of these positions. The caller closes them. */
    Angles gather(Rope rope, int[] positions) {
        return gather(table(rope, Arrays.stream(positions).max().orElseThrow() + 1), positions.length,
                (rows, table) -> backend.embed(rows, table, positions));
    }

    /** Rows of the positions of the texts' newest tokens. The caller closes them. */
    Angles gather(Rope rope, DecodingTexts texts) {
        return gather(table(rope, texts.size().tokens()), texts.size().texts(), texts::embedPositions);
    }

    /** @param embed (rows, table): looks up the rows */
    private Angles gather(Angles table, int count, BiConsumer<Tensor, Tensor> embed) {
        Angles rows = allocate(count, table.cosine().size(1));
        try {
            embed.accept(rows.cosine(), table.cosine());
            embed.accept(rows.sine(), table.sine());
            return rows;
        } catch (Throwable failure) {
            rows.close();
            throw failure;
        }
    }

    private Angles allocate(int positions, long width) {
        Tensor cosine = backend.allocate(DType.F32, positions, width);
        try {
            return new Angles(cosine, backend.allocate(DType.F32, positions, width));
        } catch (Throwable failure) {
            cosine.buffer().close();
            throw failure;
        }
    }

    /** How often a table has moved in memory. */
    int moves() {
        return moves;
    }

    /** The table of at least this many positions. */
    private Angles table(Rope rope, int positions) {
        Angles table = tables.get(rope);
        if (table == null || table.cosine().size(0) < positions) {
            moves++;
            if (table != null) {
                tables.remove(rope);
                table.close();
            }
            table = allocate(
                    Math.max(MIN_POSITIONS, Integer.highestOneBit(positions - 1) * 2), rope.frequencies().length);
            try {
                fill(table.cosine(), rope, angle -> Math.cos(angle));
                fill(table.sine(), rope, angle -> Math.sin(angle));
            } catch (Throwable failure) {
                table.close();
                throw failure;
            }
            tables.put(rope, table);
        }
        return table;
    }

    private void fill(Tensor table, Rope rope, DoubleUnaryOperator function) {
        float[] frequencies = rope.frequencies();
        float[] values = new float[Math.toIntExact(table.count())];
        for (int i = 0; i < values.length; i++) {
            // Rounded to fp32, as in the libraries that trained the checkpoints.
            float angle = i / frequencies.length * frequencies[i % frequencies.length];
            values[i] = (float) (function.applyAsDouble(angle) * rope.magnitude());
        }
        backend.upload(table, MemorySegment.ofArray(values));
    }

    @Override
    public void close() {
        tables.values().forEach(Angles::close);
    }
}
