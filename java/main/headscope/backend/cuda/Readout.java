package headscope.backend.cuda;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.AtlasSpec;
import headscope.backend.AttentionAtlas;
import headscope.backend.AttentionSnapshot;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.RowSums;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A snapshot of many heads: kernels gather it into one buffer, which is downloaded at once. */
record Readout(Device device, Kernels kernels, AttentionStatistics statistics, AttentionSpec spec) {
    /**
     * The buffer: row sums and the first column sum of each head, and a head's column sums, fp64; then this head's newest
     * row, its log diagonal and the rows of cells, fp32.
     *
     * @param summed number of heads whose sums are downloaded
     * @param ofHead length of the head's vectors
     */
    private record Layout(int summed, int ofHead, int cells) {
        /** Numbers per head. */
        static final int SUMS = RowSums.COUNT + 1;

        long columnSum() {
            return (long) summed * SUMS * Double.BYTES;
        }

        long row() {
            return columnSum() + (long) ofHead * Double.BYTES;
        }

        long logDiagonal() {
            return row() + (long) ofHead * Float.BYTES;
        }

        long cellsFrom() {
            return logDiagonal() + (long) ofHead * Float.BYTES;
        }

        long bytes() {
            return cellsFrom() + (long) cells * Float.BYTES;
        }
    }

    AttentionSnapshot of(AttentionSnapshot.Request request) {
        int tokens = statistics.tokens();
        int cells = request.firstRow().map(this::cells).orElse(0);
        Layout layout = new Layout(
                request.metrics().isEmpty() ? 0 : statistics.heads(), request.head().map(head -> tokens).orElse(0), cells);
        // Of longs, so that doubles and floats are aligned.
        MemorySegment host = MemorySegment.ofArray(new long[Math.toIntExact((layout.bytes() + 7) / 8)])
                .asSlice(0, layout.bytes());
        if (layout.bytes() > 0) {
            try (Kernels.Scratch gathered = kernels.scratch(layout.bytes())) {
                gather(request, layout, gathered.memory());
                device.download(host, gathered.memory());
            }
        }
        return new AttentionSnapshot(
                tokens, metrics(request.metrics(), host),
                request.firstRow().map(row -> statistics.atlas().orElseThrow().spec.bin(tokens)).orElse(0),
                request.firstRow().orElse(0),
                host.asSlice(layout.cellsFrom()).toArray(JAVA_FLOAT),
                request.head().map(head -> vectors(layout, host)));
    }

    /** Number of cells from a row on. */
    private int cells(int firstRow) {
        AtlasSpec atlas = statistics.atlas().orElseThrow().spec;
        return Math.multiplyExact(
                Math.multiplyExact(statistics.heads(), atlas.rows(statistics.tokens()) - firstRow), atlas.side());
    }

    private void gather(AttentionSnapshot.Request request, Layout layout, MemorySegment to) {
        if (layout.summed() > 0) {
            long count = (long) layout.summed() * Layout.SUMS;
            kernels.perElement("attention_snapshot", "attention_snapshot_sums_f64", count,
                    to, statistics.sums, statistics.columnSum, count, statistics.capacity());
        }
        request.head().ifPresent(head -> gatherHead(head, layout, to));
        request.firstRow().ifPresent(row -> gatherCells(row, layout, to));
    }

    private void gatherHead(int head, Layout layout, MemorySegment to) {
        Optional<Tensor> row = statistics.hasRow() ? Optional.of(statistics.row.rows(head, 1)) : Optional.empty();
        kernels.perElement("attention_snapshot", "attention_snapshot_head_f32", layout.ofHead(),
                to.asSlice(layout.columnSum()), to.asSlice(layout.row()), to.asSlice(layout.logDiagonal()),
                statistics.columnSum.rows(head, 1), row, statistics.logDiagonal.rows(head, 1), layout.ofHead());
    }

    private void gatherCells(int firstRow, Layout layout, MemorySegment to) {
        AttentionAtlas atlas = statistics.atlas().orElseThrow();
        int tokens = statistics.tokens();
        kernels.perElement("attention_snapshot", "attention_snapshot_cells_f32", layout.cells(),
                to.asSlice(layout.cellsFrom()), atlas.cells, (long) layout.cells(), atlas.spec.side(), firstRow,
                atlas.spec.rows(tokens) - firstRow, tokens, atlas.spec.bin(tokens), AtlasCells.mean(atlas));
    }

    private LayerResult metrics(List<Metric> metrics, MemorySegment host) {
        Map<Metric, double[][]> values = new LinkedHashMap<>();
        metrics.forEach(metric -> values.put(metric, new double[statistics.heads()][1]));
        for (int head = 0; head < statistics.heads() && !metrics.isEmpty(); head++) {
            double[] sums = host.asSlice((long) head * Layout.SUMS * Double.BYTES, Layout.SUMS * Double.BYTES)
                    .toArray(JAVA_DOUBLE);
            for (Metric metric : metrics) {
                values.get(metric)[head][0] = RowSums.metric(
                        metric, sums, sums[RowSums.COUNT], statistics.tokens(), spec.causal());
            }
        }
        return new LayerResult(values);
    }

    private AttentionSnapshot.HeadVectors vectors(Layout layout, MemorySegment host) {
        long floats = (long) layout.ofHead() * Float.BYTES;
        return new AttentionSnapshot.HeadVectors(
                statistics.hasRow() ? host.asSlice(layout.row(), floats).toArray(JAVA_FLOAT) : new float[0],
                host.asSlice(layout.columnSum(), (long) layout.ofHead() * Double.BYTES).toArray(JAVA_DOUBLE),
                host.asSlice(layout.logDiagonal(), floats).toArray(JAVA_FLOAT));
    }
}
