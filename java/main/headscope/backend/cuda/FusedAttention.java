package headscope.backend.cuda;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Launches the kernels of attention and its statistics.
 *
 * @param q of k's type
 */
record FusedAttention(Device device, Kernels kernels, Tensor q, Tensor k, AttentionSpec spec) {
    /** Up to this many queries, attention splits the keys instead of the queries. */
    private static final int MAX_DECODE_QUERIES = 4;

    /** Numbers per query and split that attention_decode writes. */
    private static final int DECODE_ROW = 6;

    /** STATISTICS of cuda/README.md with a stride. */
    private record Statistics(List<?> vectors, int capacity, Optional<Tensor> scores) {
        /** No statistics, or only logSumExp [heads, queries]. */
        static Statistics only(Object logSumExp) {
            List<Object> vectors = new ArrayList<>(List.of(logSumExp));
            vectors.addAll(Collections.nCopies(5, Optional.empty()));
            return new Statistics(vectors, 0, Optional.empty());
        }

        static List<?> vectors(AttentionStatistics rows) {
            return List.of(
                    rows.logSumExp, rows.logDiagonal, rows.entropy, rows.maximum, rows.previous, rows.distance);
        }

        static Statistics of(AttentionStatistics rows, int queries) {
            return new Statistics(vectors(rows), rows.capacity(), queries == 1 ? Optional.of(rows.row) : Optional.empty());
        }
    }

    void into(Tensor out, Tensor v) {
        forward(Optional.of(out), Optional.of(v), Statistics.only(Optional.empty()));
    }

    /** @param logSumExp [heads, queries] */
    void into(Tensor out, Tensor logSumExp, Tensor v) {
        forward(Optional.of(out), Optional.of(v), Statistics.only(logSumExp));
    }

    /** With statistics, and with output and values or without both. */
    void observe(Optional<Tensor> out, Optional<Tensor> v, AttentionStatistics statistics) {
        int queries = q.intSize(0);
        Optional<AtlasCells> cells = statistics.atlas()
                .map(atlas -> new AtlasCells(kernels, atlas, statistics.tokens(), queries));
        cells.ifPresent(AtlasCells::merge);
        forward(out, v, Statistics.of(statistics, queries));
        if (queries == 1) {
            row(statistics, cells);
        } else {
            cells.ifPresent(atlas -> atlas.add(q, k, spec, statistics));
            columns(statistics);
            sums(statistics);
        }
        statistics.grow(queries);
    }

    private void forward(Optional<Tensor> out, Optional<Tensor> v, Statistics statistics) {
        int queries = q.intSize(0);
        boolean manyKeys = k.intSize(0) > device.constant("attention_decode_keys");
        if (queries == 1 || queries <= MAX_DECODE_QUERIES && manyKeys) {
            decode(out, v, statistics);
            return;
        }
        List<Object> arguments = new ArrayList<>();
        out.ifPresent(arguments::add);
        arguments.addAll(statistics.vectors());
        arguments.addAll(List.of(q, k));
        v.ifPresent(arguments::add);
        arguments.add(spec.sinks());
        arguments.addAll(Kernels.spec(q, k, spec));
        arguments.add(statistics.capacity());
        kernels.perTile(v.isPresent() ? "attention_forward" : "attention_statistics",
                "query_tile", k.dtype(), q, spec.heads(), spec, arguments);
    }

    /** {@link #forward} with the keys split over blocks: tiles of few queries would leave most of the device idle. */
    private void decode(Optional<Tensor> out, Optional<Tensor> v, Statistics statistics) {
        int splits = Math.toIntExact(kernels.tiles(k.size(0), "attention_decode_keys"));
        int rows = splits * q.intSize(0) * spec.heads();
        long width = v.isPresent() ? spec.headDim() : 0;
        try (Kernels.Scratch sums = kernels.scratch(rows * width * Float.BYTES);
                Kernels.Scratch parts = kernels.scratch((long) rows * DECODE_ROW * Float.BYTES)) {
            List<Object> arguments = new ArrayList<>(
                    List.of(sums.memory(), parts.memory(), statistics.scores(), q, k, v));
            arguments.addAll(Kernels.spec(q, k, spec));
            arguments.add(statistics.capacity());
            device.launch(new Launch(Kernels.ofWidth("attention_decode", k.dtype(), spec), splits, spec.heads(),
                    q.size(0), device.constant("attention_decode_threads"), 0, arguments));
            List<Object> merged = new ArrayList<>(List.of(out));
            merged.addAll(statistics.vectors());
            merged.addAll(List.of(sums.memory(), parts.memory(), spec.sinks()));
            merged.addAll(Kernels.spec(q, k, spec));
            merged.addAll(List.of(statistics.capacity(), splits));
            device.launch(new Launch("attention_merge_f32", q.size(0), spec.heads(), 1,
                    device.constant("attention_merge_threads"), 0, merged));
        }
    }

    /** Turns the scores of a single query into its probabilities, and adds them to column sums, cells and row sums. */
    private void row(AttentionStatistics statistics, Optional<AtlasCells> cells) {
        int keys = k.intSize(0);
        int bin = cells.map(AtlasCells::bin).orElse(device.constant("attention_decode_keys"));
        int blocks = cells.map(AtlasCells::side).orElse((keys + bin - 1) / bin);
        List<Object> arguments = new ArrayList<>(List.of(
                statistics.row, statistics.columnSum, statistics.sums, cells.map(AtlasCells::cells)));
        arguments.addAll(Statistics.vectors(statistics));
        arguments.addAll(Kernels.spec(q, k, spec));
        arguments.addAll(List.of(statistics.capacity(), blocks, bin, cells.map(AtlasCells::mean).orElse(0)));
        device.launch(new Launch("attention_row_f32", blocks, spec.heads(), 1,
                kernels.fitting("attention_row_threads", bin), 0, arguments));
    }

    private void columns(AttentionStatistics statistics) {
        List<Object> arguments = new ArrayList<>(List.of(statistics.columnSum, statistics.logSumExp, q, k));
        arguments.addAll(Kernels.spec(q, k, spec));
        arguments.add(statistics.capacity());
        kernels.perTile("attention_columns", "key_tile", k.dtype(), k, spec.heads(), spec, arguments);
    }

    private void sums(AttentionStatistics statistics) {
        List<Object> arguments = new ArrayList<>(List.of(statistics.sums));
        arguments.addAll(Statistics.vectors(statistics));
        arguments.addAll(Kernels.spec(q, k, spec));
        arguments.add(statistics.capacity());
        device.launch(new Launch("attention_sums_f64", spec.heads(), 1, 1,
                kernels.fitting("attention_sums_threads", q.intSize(0)), 0, arguments));
    }
}
