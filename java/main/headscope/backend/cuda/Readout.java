package headscope.backend.cuda;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.AtlasSpec;
import headscope.backend.AttentionAtlas;
import headscope.backend.AttentionSnapshot;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
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
     * The buffer: metrics [metrics, heads] and column sums, fp64; then the newest row, the log diagonal and the rows of
     * cells, fp32.
     */
    private record Layout(int metrics, int heads, int ofHead, int cells) {
        long columnSum() {
            return (long) metrics * heads * Double.BYTES;
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
                request.metrics().size(), statistics.heads(), request.head().map(head -> tokens).orElse(0), cells);
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
        LayerMetrics metrics = new LayerMetrics(device, kernels, statistics, spec);
        for (int i = 0; i < layout.metrics(); i++) {
            metrics.launch(request.metrics().get(i), to.asSlice((long) i * layout.heads() * Double.BYTES),
                    MemorySegment.NULL, 0, layout.heads());
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
        int heads = statistics.heads();
        for (int i = 0; i < metrics.size(); i++) {
            double[][] ofHeads = new double[heads][1];
            for (int head = 0; head < heads; head++) {
                ofHeads[head][0] = host.getAtIndex(JAVA_DOUBLE, (long) i * heads + head);
            }
            values.put(metrics.get(i), ofHeads);
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
