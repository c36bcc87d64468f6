package headscope.backend.cuda;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Packing;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Launches the kernels of attention and its statistics, of all texts of a packing at once.
 *
 * @param q of k's type
 */
record FusedAttention(Device device, Kernels kernels, Tensor q, Tensor k, Packing packing, AttentionSpec spec) {
    /** Up to this many queries, attention splits the keys instead of the queries. */
    private static final int MAX_DECODE_QUERIES = 4;

    /** Rows that kernels for Hopper stream and copy at once: of keys and values in {@link #forward}, of queries in columns. */
    private static final int BOX_ROWS = 128;

    /** Log-sum-exps that they copy at once: those of as many queries, from a multiple of 4 on. */
    private static final int BOX_LOGS = BOX_ROWS + 4;

    /** Numbers per query and split that attention_decode writes. */
    private static final int DECODE_ROW = 6;

    /** Types in which attention_merge writes outputs. */
    private static final List<DType> OUTPUTS = List.of(DType.F32, DType.BF16, DType.F16);
    private static final List<Object> NO_OUTPUT = Collections.nCopies(OUTPUTS.size(), Optional.empty());

    /** One argument per type: the output for its own, null pointers for the others. */
    private static List<Object> byType(Tensor out, List<DType> types) {
        return types.stream().<Object>map(type -> Optional.of(out).filter(to -> to.dtype() == type)).toList();
    }

    /** STATISTICS of cuda/README.md. */
    static List<?> vectors(AttentionStatistics rows) {
        return List.of(rows.logSumExp, rows.logDiagonal, rows.entropy, rows.maximum, rows.previous, rows.distance);
    }

    /** No statistics, or only logSumExp. */
    private static List<?> only(Object logSumExp) {
        List<Object> vectors = new ArrayList<>(List.of(logSumExp));
        vectors.addAll(Collections.nCopies(5, Optional.empty()));
        return vectors;
    }

    void into(Tensor out, Tensor v) {
        into(out, v, PackedTexts.ofRows(packing, spec));
    }

    /** Some of the texts. */
    void into(Tensor out, Tensor v, PackedTexts texts) {
        forward(Optional.of(out), Optional.of(v), texts, only(Optional.empty()));
    }

    /** @param logSumExp [heads * queries] */
    void into(Tensor out, Tensor logSumExp, Tensor v) {
        forward(Optional.of(out), Optional.of(v), PackedTexts.ofRows(packing, spec), only(logSumExp));
    }

    /** With statistics, and with output and values or without both. Several texts have no atlas. */
    void observe(Optional<Tensor> out, Optional<Tensor> v, AttentionStatistics statistics) {
        observe(out, v, PackedTexts.of(packing, statistics), statistics);
        statistics.grow(packing);
    }

    /** The same for some of the texts; does not count their rows. */
    void observe(Optional<Tensor> out, Optional<Tensor> v, PackedTexts texts, AttentionStatistics statistics) {
        PackedTexts single = texts.only(text -> text.queries() == 1);
        PackedTexts others = texts.only(text -> text.queries() > 1);
        Optional<AtlasCells> cells = statistics.atlas()
                .map(atlas -> new AtlasCells(kernels, atlas, statistics.tokens(), packing.queries()));
        cells.ifPresent(AtlasCells::merge);
        if (!single.isEmpty()) {
            decode(out, v, single, vectors(statistics), Optional.of(statistics), cells);
        }
        if (!others.isEmpty()) {
            forward(out, v, others, vectors(statistics));
            cells.ifPresent(atlas -> atlas.add(q, k, spec, statistics));
            columns(others, statistics);
            sums(others, statistics);
        }
    }

    private void forward(Optional<Tensor> out, Optional<Tensor> v, PackedTexts texts, List<?> statistics) {
        int split = device.constant("attention_decode_keys");
        Predicate<PackedTexts.Entry> hasFew = text ->
                text.queries() == 1 || text.queries() <= MAX_DECODE_QUERIES && text.keys() > split;
        PackedTexts few = texts.only(hasFew);
        PackedTexts many = texts.only(hasFew.negate());
        if (!few.isEmpty()) {
            decode(out, v, few, statistics, Optional.empty(), Optional.empty());
        }
        if (!many.isEmpty()) {
            boolean maps = kernels.takeTensorMaps(k.dtype(), spec);
            String family = (v.isPresent() ? "attention_forward" : "attention_statistics") + (maps ? Fatbins.HOPPER : "");
            List<Object> operands = new ArrayList<>();
            out.ifPresent(to -> operands.addAll(byType(to, Stream.of(DType.F32, k.dtype()).distinct().toList())));
            operands.addAll(statistics);
            operands.add(maps ? TensorMap.ofHeads(q, spec.heads(), keptRows(family)) : q);
            operands.add(maps ? TensorMap.ofHeads(k, spec.kvHeads(), BOX_ROWS) : k);
            v.ifPresent(values -> operands.add(maps ? TensorMap.ofHeads(values, spec.kvHeads(), BOX_ROWS) : values));
            operands.add(spec.sinks());
            kernels.perTile(family, TextTiles.Part.QUERY_TILE, k.dtype(), many, spec.heads(),
                    spec, operands, capacity(many));
        }
    }

    /** Rows that a block of a kernel for Hopper keeps resident, and copies as one box. */
    private int keptRows(String family) {
        return device.constant(Kernels.ofWidth(family, k.dtype(), spec) + "_tile");
    }

    /** The parameter of kernels that launches with a table ignore. */
    private static int capacity(PackedTexts texts) {
        return texts.first().capacity();
    }

    /**
     * {@link #forward} with the keys split over blocks: tiles of few queries would leave most of the device idle.
     *
     * @param row receives the probabilities, column sums and row sums of single queries, or only their scores if the texts
     *            are described on the device: {@link CudaDecoding#addRows} adds them
     */
    private void decode(
            Optional<Tensor> out, Optional<Tensor> v, PackedTexts texts, List<?> statistics,
            Optional<AttentionStatistics> row, Optional<AtlasCells> cells) {
        int splits = texts.parts(device.constant("attention_decode_keys"), 0);
        int queries = texts.mostQueries();
        int rounds = Math.toIntExact(kernels.tiles(spec.heads() / spec.kvHeads(), "attention_decode_heads"));
        long rows = (long) splits * queries * spec.heads();
        long width = v.isPresent() ? (spec.headDim() + 3) / 4 * 4 : 0;
        Optional<AttentionStatistics> later = row.filter(to -> decoding().isPresent());
        Optional<AttentionStatistics> now = row.filter(to -> decoding().isEmpty());
        int bin = now.isEmpty() ? 0 : cells.map(AtlasCells::bin).orElse(device.constant("attention_merge_keys"));
        int blocks = bin == 0 ? texts.entries().size() : cells.map(atlas -> 1 + atlas.side()).orElse(texts.parts(bin, 1));
        // Rows of few splits are merged by a warp each.
        boolean few = bin == 0
                && kernels.tiles(texts.longest(), "attention_decode_keys") <= device.constant("attention_merge_few");
        int heads = few ? Math.toIntExact(kernels.tiles(spec.heads(), "attention_merge_heads")) : spec.heads();
        Object table = decoding().<Object>map(CudaDecoding::table).orElseGet(() -> kernels.table(texts));
        try (Kernels.Scratch sums = kernels.reserved(rows * width * Float.BYTES);
                Kernels.Scratch numbers = kernels.reserved(rows * DECODE_ROW * Float.BYTES)) {
            device.launch(new Launch(Kernels.ofWidth("attention_decode", k.dtype(), spec), spec.kvHeads() * rounds, splits,
                    queries, device.constant("attention_decode_threads"), 0,
                    Kernels.arguments(List.of(sums.memory(), numbers.memory(), row.map(to -> to.row), q, k, v, pages()), table,
                            texts.first(), spec, capacity(texts), texts.entries().size())));
            List<Object> merged = new ArrayList<>(out.map(to -> byType(to, OUTPUTS)).orElse(NO_OUTPUT));
            merged.addAll(statistics);
            merged.addAll(List.of(later.map(to -> to.newest), now.map(to -> to.row), now.map(to -> to.columnSum),
                    now.map(to -> to.sums), cells.map(AtlasCells::cells), sums.memory(), numbers.memory(), spec.sinks()));
            device.launch(new Launch("attention_merge_f32", blocks, heads, queries,
                    device.constant("attention_merge_threads"), 0,
                    Kernels.arguments(merged, table, texts.first(), spec, capacity(texts), texts.entries().size(), splits,
                            cells.map(AtlasCells::side).orElse(0), bin, cells.map(AtlasCells::mean).orElse(0))));
        }
    }

    /** The texts, if they are described on the device. */
    private Optional<CudaDecoding> decoding() {
        return packing.decoding().map(CudaDecoding.class::cast);
    }

    private Object pages() {
        return decoding().<Object>map(CudaDecoding::pages)
                .or(() -> packing.pages().map(kernels.tiles::of))
                .orElse(Optional.empty());
    }

    private void columns(PackedTexts texts, AttentionStatistics statistics) {
        List<?> operands = List.of(statistics.columnSum, statistics.logSumExp, q, k);
        String family = "attention_columns";
        // The kernel counts boxes of log-sum-exps in an int.
        if (kernels.takeTensorMaps(k.dtype(), spec) && statistics.logSumExp.count() <= Integer.MAX_VALUE) {
            family += Fatbins.HOPPER;
            operands = List.of(
                    statistics.columnSum, TensorMap.ofElements(statistics.logSumExp, BOX_LOGS),
                    TensorMap.ofHeads(q, spec.heads(), BOX_ROWS), TensorMap.ofHeads(k, spec.kvHeads(), keptRows(family)));
        }
        kernels.perTile(family, TextTiles.Part.KEY_TILE, k.dtype(), texts, spec.heads(), spec, operands, capacity(texts));
    }

    private void sums(PackedTexts texts, AttentionStatistics statistics) {
        List<Object> operands = new ArrayList<>(List.of(statistics.sums));
        operands.addAll(vectors(statistics));
        device.launch(new Launch("attention_sums_f64", spec.heads(), texts.entries().size(), 1,
                kernels.fitting("attention_sums_threads", texts.mostQueries()), 0,
                Kernels.arguments(operands, kernels.table(texts), texts.first(), spec,
                        capacity(texts))));
    }
}
