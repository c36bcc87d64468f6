package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/**
 * Products of the rows of a batch with a weight, c [rows, n] = a [rows, k] b [k, n]. If OpenBLAS has kernels for small
 * matrices on this processor, a row has the same bits whatever the other rows are, how many they are, and how many
 * workers there are; otherwise for any number of workers.
 *
 * <p>OpenBLAS sums in another order of k in its kernels for small matrices than in those for large ones, and the number
 * of rows decides which it uses. Therefore a product is divided into tiles that the former compute, whose order does not
 * depend on the row. They do not pack their operands, which for few rows takes most of the time. The limits are those of
 * OpenBLAS 0.3.31 (sgemm_small_kernel_permit_skylakex.c). Products outside of them are large for any number of rows.
 * In kernels for AVX2, the order depends on the position of a row.
 *
 * <p>Weights in 16 bits are widened part by part, and give the bits of the same weights in fp32.
 */
final class RowProducts implements AutoCloseable {
    /** Columns of a tile. */
    private static final int COLUMNS = 64;
    /** Multiples of this many columns have the same bits in tiles with any number of rows. */
    private static final int COLUMN_STEP = 4;
    private static final int ROW_STEP = 4;
    private static final int MAX_ROWS = 64;
    /** Longer sums are divided, so that a tile of weights fits into the second-level cache. */
    private static final int MAX_DEPTH = 1024;
    private static final int MAX_DEPTH_ACROSS = 768;
    /** OpenBLAS's limits: multiply-adds, elements of c if b is transposed, and the shortest sum. */
    private static final int MULTIPLY_ADDS = 1_000_000;
    private static final int ELEMENTS = 1200;
    private static final int MIN_DEPTH = 32;

    /** Multiply-adds of a piece of work: some 10 microseconds. */
    private static final long PIECE = 500_000;
    private static final int PIECES_PER_WORKER = 4;

    /** Elements of 16-bit weights that are widened at a time for consecutive tiles, at most: pages are read from end to end. */
    private static final int WIDENED_TILES = 1 << 17;
    /** Elements that are widened at a time for large products: 8 MiB in fp32. */
    private static final long WIDENED = 1 << 21;
    /** Columns of such a part: a multiple of the blocks into which OpenBLAS divides them on processors with AVX2 (SGEMM_DEFAULT_P). */
    private static final int WIDENED_STEP = 320;
    /**
     * Multiply-adds of such a part's product at least: OpenBLAS computes products of fewer than 28 * 512 * 512 by other kernels,
     * which round differently (SGEMM_DIRECT).
     */
    private static final long WIDENED_PRODUCT = 1 << 23;

    private final Workers workers;
    private final ProductParts parts;
    private final Scratch scratch = new Scratch();
    private final Queue<WidenedPart> widened = new ConcurrentLinkedQueue<>();

    RowProducts(Workers workers) {
        this.workers = workers;
        this.parts = new ProductParts(workers);
    }

    /** @param bias [n], added to each row */
    void multiply(int rows, int n, int k, Matrix a, Matrix b, Optional<MemorySegment> bias, Matrix c) {
        if (OpenBlas.HAS_SMALL_KERNELS && k >= MIN_DEPTH && (b.transposed() || (long) n * k <= MULTIPLY_ADDS)) {
            tiles(rows, n, k, a, b, bias, c);
        } else {
            whole(rows, n, k, a, b, bias, c);
        }
    }

    private void whole(int rows, int n, int k, Matrix a, Matrix b, Optional<MemorySegment> bias, Matrix c) {
        boolean byRows = rows >= n;
        parts.each(Math.max(rows, n), (long) rows * n * k, (from, count) -> {
            int row = byRows ? from : 0;
            int column = byRows ? 0 : from;
            int countRows = byRows ? count : rows;
            int columns = byRows ? n : count;
            fill(bias, countRows, columns, column, c.fromRow(row));
            widening(part -> whole(
                    countRows, columns, k, a.fromRow(row), b.fromColumn(column), bias.isPresent() ? 1 : 0,
                    c.fromRow(row).fromColumn(column), part));
        });
    }

    /** A remainder of 16-bit weights joins the last part: its own product could be too small. */
    private static void whole(int rows, int n, int k, Matrix a, Matrix b, float beta, Matrix c, WidenedPart widened) {
        long elements = Math.max(WIDENED, WIDENED_PRODUCT / Math.max(1, rows));
        int step = b.type() == DType.F32 ? n : (int) Math.min(n, (elements / k + WIDENED_STEP) / WIDENED_STEP * WIDENED_STEP);
        int columns;
        for (int column = 0; column < n; column += columns) {
            columns = n - column < 2L * step ? n - column : step;
            OpenBlas.multiply(
                    rows, columns, k, 1, a, widened.of(b.fromColumn(column), k, columns), beta, c.fromColumn(column));
        }
    }

    /** Lends memory for parts of weights. */
    private void widening(Consumer<WidenedPart> work) {
        WidenedPart unused = widened.poll();
        WidenedPart part = unused == null ? new WidenedPart(scratch) : unused;
        try {
            work.accept(part);
        } finally {
            widened.add(part);
        }
    }

    private static void fill(Optional<MemorySegment> bias, int rows, int columns, int column, Matrix c) {
        if (bias.isEmpty()) {
            return;
        }
        long bytes = (long) columns * Float.BYTES;
        MemorySegment source = bias.get();
        long from = (long) column * Float.BYTES;
        for (int row = 0; row < rows; row++) {
            MemorySegment.copy(source, from, c.memory(), (c.offset() + (long) row * c.stride() + column) * Float.BYTES, bytes);
        }
    }

    /** Workers take rows or columns, in units of a tile. */
    private void tiles(int rows, int n, int k, Matrix a, Matrix b, Optional<MemorySegment> bias, Matrix c) {
        int depth = depth(k, b.transposed() ? MAX_DEPTH : MAX_DEPTH_ACROSS);
        int tileRows = tileRows(depth, b.transposed());
        boolean byRows = rows >= n;
        int unit = byRows ? tileRows : COLUMNS;
        int length = byRows ? rows : n;
        int units = (length + unit - 1) / unit;
        long most = Math.min(units, (long) PIECES_PER_WORKER * workers.count());
        int pieces = (int) Math.clamp((long) rows * n * k / PIECE, 1, most);
        workers.each(pieces, piece -> {
            int from = (int) ((long) units * piece / pieces) * unit;
            int to = Math.min(length, (int) ((long) units * (piece + 1) / pieces) * unit);
            widening(part -> {
                if (byRows) {
                    piece(to - from, 0, n, k, depth, tileRows, a.fromRow(from), b, bias, c.fromRow(from), part);
                } else {
                    piece(rows, from, to, k, depth, tileRows, a, b, bias, c, part);
                }
            });
        });
    }

    /** The length of sums of tiles: equal parts, in whole registers. */
    private static int depth(int k, int most) {
        int parts = (k + most - 1) / most;
        return parts == 1 ? k : Simd.roundUp((k + parts - 1) / parts);
    }

    private static int tileRows(int depth, boolean transposed) {
        int rows = Math.min(MULTIPLY_ADDS / (COLUMNS * depth), transposed ? ELEMENTS / COLUMNS : MAX_ROWS);
        return Math.min(rows, MAX_ROWS) / ROW_STEP * ROW_STEP;
    }

    /** Columns from to to - 1. */
    private static void piece(
            int rows, int from, int to, int k, int depth, int tileRows, Matrix a, Matrix b, Optional<MemorySegment> bias,
            Matrix c, WidenedPart widened) {
        fill(bias, rows, to - from, from, c);
        int whole = to / COLUMN_STEP * COLUMN_STEP;
        int widenedTerms = depth * Math.max(1, WIDENED_TILES / (COLUMNS * depth));
        for (int column = from; column < whole; column += COLUMNS) {
            int columns = Math.min(COLUMNS, whole - column);
            Matrix tiles = b;
            for (int first = 0; first < k; first += depth) {
                int terms = Math.min(depth, k - first);
                int inTiles = first % widenedTerms;
                if (inTiles == 0) {
                    tiles = widened.of(b.fromRow(first).fromColumn(column), Math.min(widenedTerms, k - first), columns);
                }
                float beta = bias.isPresent() || first > 0 ? 1 : 0;
                for (int row = 0; row < rows; row += tileRows) {
                    OpenBlas.multiply(
                            Math.min(tileRows, rows - row), columns, terms, 1, a.fromRow(row).fromColumn(first),
                            tiles.fromRow(inTiles), beta, c.fromRow(row).fromColumn(column));
                }
            }
        }
        for (int column = whole; column < to; column++) {
            column(rows, column, k, a, widened.of(b.fromColumn(column), k, 1), bias, c);
        }
    }

    /** One of the last columns, the product with a weight [k, 1]. */
    private static void column(int rows, int column, int k, Matrix a, Matrix weight, Optional<MemorySegment> bias, Matrix c) {
        float addend = bias.isPresent() ? bias.get().getAtIndex(JAVA_FLOAT, column) : 0;
        for (int row = 0; row < rows; row++) {
            Matrix x = a.fromRow(row);
            float sum = weight.transposed()
                    ? RowGradients.dot(x.memory(), x.offset(), weight.memory(), weight.offset(), k)
                    : dot(x.memory(), x.offset(), weight.memory(), weight.offset(), weight.stride(), k);
            c.memory().setAtIndex(JAVA_FLOAT, c.fromRow(row).offset() + column, addend + sum);
        }
    }

    private static float dot(MemorySegment x, long xFirst, MemorySegment y, long yFirst, int yStep, int count) {
        float sum = 0;
        for (int i = 0; i < count; i++) {
            sum = Math.fma(x.getAtIndex(JAVA_FLOAT, xFirst + i), y.getAtIndex(JAVA_FLOAT, yFirst + (long) i * yStep), sum);
        }
        return sum;
    }

    /** Bytes allocated for parts of weights so far. */
    long scratchBytes() {
        return scratch.bytes();
    }

    @Override
    public void close() {
        scratch.close();
    }
}
