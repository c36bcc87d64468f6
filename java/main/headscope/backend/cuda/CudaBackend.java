package headscope.backend.cuda;

import headscope.backend.Activation;
import headscope.backend.AttentionSnapshot;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.DecodingTexts;
import headscope.backend.Gradients;
import headscope.backend.HeadTransform;
import headscope.backend.HostElements;
import headscope.backend.Packing;
import headscope.backend.Precision;
import headscope.backend.Projections;
import headscope.backend.RowRanges;
import headscope.backend.SharedMemory;
import headscope.backend.TextRows;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/** The CUDA backend: launches kernels by name. cuda/README.md lists kernels, parameters and launches. */
final class CudaBackend implements Backend {
    private final Device device;
    private final Precision precision;
    private final Kernels kernels;

    CudaBackend(Device device, Precision precision) {
        this.device = device;
        this.precision = precision;
        this.kernels = new Kernels(device);
    }

    @Override
    public String describe() {
        return device.describe();
    }

    @Override
    public boolean isGpu() {
        return true;
    }

    @Override
    public Tensor allocate(DType dtype, long... shape) {
        return kernels.tensor(dtype, shape);
    }

    @Override
    public long liveBytes() {
        return kernels.memory.liveBytes();
    }

    @Override
    public Precision precision() {
        return precision;
    }

    @Override
    public void convert(Tensor destination, Tensor source) {
        kernels.convert(destination, source);
    }

    @Override
    public void multiply(Tensor x, Tensor y) {
        kernels.perElement("elementwise", "multiply_f32", x.count(), x, y, x.count());
    }

    @Override
    public void scaleHeads(Tensor x, Tensor factors, RowRanges ranges) {
        int heads = factors.intSize(1);
        try (Kernels.Scratch bounds = kernels.uploaded(MemorySegment.ofArray(ranges.bounds()))) {
            kernels.perElement("elementwise", "scale_heads_f32", x.count(),
                    x, factors, bounds.memory(), x.count(), ranges.count(), heads, x.intSize(1) / heads);
        }
    }

    @Override
    public SequencedMap<String, Double> time(Runnable work) {
        return device.time(work);
    }

    @Override
    public long peakBytes() {
        return kernels.memory.peakBytes();
    }

    @Override
    public long keepableBytes() {
        return Math.max(Backend.super.keepableBytes(), device.freeBytes() / 4);
    }

    @Override
    public Optional<DecodingTexts> decoding(DecodingTexts.Size size, Optional<AttentionStatistics> statistics, int layers) {
        return Optional.of(new CudaDecoding(device, kernels, size, statistics, layers));
    }

    @Override
    public Gradients gradients() {
        return new CudaGradients(device, kernels);
    }

    @Override
    public void upload(Tensor destination, MemorySegment source) {
        device.upload(destination.bytes(), source);
    }

    /** Converts on the device. */
    @Override
    public void upload(Tensor destination, DType type, HostElements source) {
        if (type == destination.dtype()) {
            device.upload(destination.bytes(), (offset, to) -> source.write(offset / type.bytes, to));
            return;
        }
        Tensor stored = kernels.tensor(type, destination.shape());
        try {
            device.upload(stored.bytes(), (offset, to) -> source.write(offset / type.bytes, to));
            kernels.convert(destination, stored);
        } finally {
            stored.buffer().close();
        }
    }

    @Override
    public void download(MemorySegment destination, Tensor source) {
        device.download(destination, source.bytes());
    }

    @Override
    public SharedMemory share(long bytes, long most) {
        return device.share(bytes, most);
    }

    @Override
    public void embed(Tensor destination, Tensor table, int[] ids) {
        try (Kernels.Scratch rows = kernels.uploaded(MemorySegment.ofArray(ids))) {
            kernels.embed(destination, table, rows.memory());
        }
    }

    @Override
    public int[] argmax(Tensor logits) {
        return sampled(logits, chosen -> kernels.argmax(chosen, logits));
    }

    @Override
    public int[] draw(Tensor logits, double temperature, double topP, double[] marks) {
        try (Kernels.Scratch places = kernels.uploaded(MemorySegment.ofArray(marks))) {
            return sampled(logits, chosen -> kernels.draw(chosen, logits, temperature, topP, places.memory()));
        }
    }

    private int[] sampled(Tensor logits, Consumer<MemorySegment> sampling) {
        int[] words = new int[logits.intSize(0)];
        try (Kernels.Scratch chosen = kernels.reserved((long) words.length * Integer.BYTES)) {
            sampling.accept(chosen.memory());
            device.download(MemorySegment.ofArray(words), chosen.memory());
        }
        return words;
    }

    @Override
    public void linear(Tensor destination, Tensor x, Tensor weight, Optional<Tensor> bias) {
        kernels.linear(destination, false, x, weight, bias);
    }

    /** Without scratch: the product adds. */
    @Override
    public void linearAdd(Tensor sum, Tensor x, Tensor weight, Optional<Tensor> bias, Tensor scratch) {
        kernels.linear(sum, true, x, weight, bias);
    }

    @Override
    public void layerNorm(Tensor destination, Tensor x, Tensor weight, Tensor bias, float epsilon) {
        int width = weight.intSize(0);
        kernels.perHeldRow(
                "layer_norm", destination.dtype(), x.count() / width, width, destination, x, weight, bias, epsilon, width);
    }

    @Override
    public void rmsNorm(Tensor destination, Tensor x, Tensor weight, float epsilon) {
        int width = weight.intSize(0);
        kernels.perHeldRow(
                "rms_norm", destination.dtype(), x.count() / width, width, destination, x, weight, epsilon, width);
    }

    @Override
    public void splitHeads(Projections to, Tensor joined, HeadTransform transform, Packing packing) {
        SplitHeads.of(kernels, transform, to).run(to, joined, packing);
    }

    @Override
    public void activate(Tensor destination, Tensor x, Activation f) {
        kernels.perElement("activation", name(f) + "_" + Kernels.name(destination.dtype()), x.count(),
                destination, x, x.count());
    }

    @Override
    public void gate(Tensor destination, Tensor gateUp, Activation f) {
        kernels.perColumnsOfRow("activation", "activation_gate_columns", name(f) + "_gate_" + Kernels.name(destination.dtype()),
                destination, destination, gateUp, destination.intSize(1));
    }

    static String name(Activation f) {
        return f.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public void add(Tensor x, Tensor y) {
        kernels.perElement("elementwise", "add_f32", x.count(), x, y, x.count());
    }

    @Override
    public void addRow(Tensor x, Tensor row) {
        kernels.addRow(x, row);
    }

    @Override
    public void route(Tensor logits, int chosen) {
        kernels.perRow("route", logits.size(0), logits.intSize(1), logits, chosen, logits.intSize(1));
    }

    @Override
    public void addShare(Tensor x, Tensor y, Tensor shares, int column) {
        kernels.perElement("route", "add_share_f32", x.count(),
                x, y, shares, column, x.count(), x.intSize(1), shares.intSize(1));
    }

    @Override
    public void scale(Tensor x, float factor) {
        kernels.perElement("elementwise", "scale_f32", x.count(), x, factor, x.count());
    }

    @Override
    public void softCap(Tensor x, float cap) {
        kernels.perElement("elementwise", "soft_cap_f32", x.count(), x, cap, x.count());
    }

    /** A temporary copy of keys or values of all texts, one text after the other. */
    private Kernels.Operand gathered(Tensor pool, int[] places) {
        Tensor rows = allocate(pool.dtype(), places.length, pool.size(1));
        try (Kernels.Scratch on = kernels.uploaded(MemorySegment.ofArray(places))) {
            device.launch(Launch.flat("gather_rows_" + Kernels.name(pool.dtype()), places.length, 1,
                    kernels.fitting("gather_rows_threads", pool.intSize(1)), rows, pool, on.memory(), pool.intSize(1)));
        }
        return new Kernels.Operand(rows, rows.buffer()::close);
    }

    @Override
    public void attention(
            Tensor out, Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec,
            Optional<AttentionStatistics> statistics) {
        if (packing.decoding().isPresent()) {
            try (Kernels.Operand queries = kernels.operand(q, k.dtype())) {
                PackedTexts texts = texts(packing, spec, statistics);
                attend(new FusedAttention(device, kernels, queries.tensor(), k, packing, spec), out, v, texts, statistics);
            }
            return;
        }
        if (packing.pages().isPresent()) {
            paged(out, q, k, v, packing, spec, statistics);
            return;
        }
        observe(Optional.of(out), q, k, Optional.of(v), packing, spec, statistics);
    }

    /** Texts with one query read their pages in place; the keys and values of the others are copied first. */
    private void paged(
            Tensor out, Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec,
            Optional<AttentionStatistics> statistics) {
        PackedTexts texts = texts(packing, spec, statistics);
        PackedTexts single = texts.only(text -> text.queries() == 1);
        PackedTexts others = texts.only(text -> text.queries() > 1);
        try (Kernels.Operand queries = kernels.operand(q, k.dtype())) {
            if (!single.isEmpty()) {
                FusedAttention decoding = new FusedAttention(device, kernels, queries.tensor(), k, packing, spec);
                attend(decoding, out, v, single, statistics);
            }
            if (!others.isEmpty()) {
                int[] places = IntStream.range(0, packing.count())
                        .filter(i -> packing.text(i).queries() > 1)
                        .flatMap(i -> IntStream.range(0, packing.text(i).keys())
                                .map(key -> packing.pages().get().row(i, key)))
                        .toArray();
                try (Kernels.Operand keys = gathered(k, places); Kernels.Operand values = gathered(v, places)) {
                    FusedAttention reading = new FusedAttention(
                            device, kernels, queries.tensor(), keys.tensor(), packing.withoutPages(), spec);
                    attend(reading, out, values.tensor(), others.gathered(), statistics);
                }
            }
        }
        statistics.ifPresent(rows -> rows.grow(packing));
    }

    private static PackedTexts texts(Packing packing, AttentionSpec spec, Optional<AttentionStatistics> statistics) {
        return statistics.map(rows -> PackedTexts.of(packing, rows))
                .orElseGet(() -> PackedTexts.ofRows(packing, spec));
    }

    private static void attend(
            FusedAttention attention, Tensor out, Tensor v, PackedTexts texts,
            Optional<AttentionStatistics> statistics) {
        statistics.ifPresentOrElse(
                rows -> attention.observe(Optional.of(out), Optional.of(v), texts, rows),
                () -> attention.into(out, v, texts));
    }

    @Override
    public void attention(
            Tensor out, Tensor logSumExp, Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec) {
        try (Kernels.Operand queries = kernels.operand(q, k.dtype())) {
            new FusedAttention(device, kernels, queries.tensor(), k, packing, spec).into(out, logSumExp, v);
        }
    }

    @Override
    public void attentionStatistics(
            Tensor q, Tensor k, Packing packing, AttentionSpec spec, AttentionStatistics statistics) {
        observe(Optional.empty(), q, k, Optional.empty(), packing, spec, Optional.of(statistics));
    }

    /** All texts at once, unless they have an atlas: its cells differ in size from text to text. */
    private void observe(
            Optional<Tensor> out, Tensor q, Tensor k, Optional<Tensor> v, Packing packing, AttentionSpec spec,
            Optional<AttentionStatistics> statistics) {
        try (Kernels.Operand queries = kernels.operand(q, k.dtype())) {
            FusedAttention all = new FusedAttention(device, kernels, queries.tensor(), k, packing, spec);
            if (statistics.isEmpty()) {
                all.into(out.orElseThrow(), v.orElseThrow());
            } else if (statistics.get().texts() == 1 || statistics.get().atlas().isEmpty()) {
                all.observe(out, v, statistics.get());
            } else {
                for (int i = 0; i < packing.count(); i++) {
                    TextRows text = new TextRows(packing, i);
                    new FusedAttention(device, kernels, text.queries(queries.tensor()), text.keys(k),
                            Packing.of(packing.text(i).queries(), packing.text(i).keys()), spec)
                            .observe(out.map(text::queries), v.map(text::keys), text.statistics(statistics.get()));
                }
            }
        }
    }

    @Override
    public void attentionMap(Tensor destination, Tensor q, Tensor k, AttentionSpec spec, int head) {
        try (Kernels.Operand queries = kernels.operand(q, k.dtype())) {
            kernels.attentionMaps(destination, queries.tensor(), k, spec, head, 1);
        }
    }

    @Override
    public List<LayerResult> measure(List<Metric> metrics, AttentionStatistics statistics, AttentionSpec spec) {
        return new LayerMetrics(device, kernels, statistics, spec).of(metrics);
    }

    @Override
    public AttentionSnapshot snapshot(
            AttentionSnapshot.Request request, AttentionStatistics statistics, AttentionSpec spec) {
        return new Readout(device, kernels, statistics, spec).of(request);
    }

    @Override
    public List<double[][]> symmetricSpectrum(Tensor q, Tensor k, Packing packing, AttentionSpec spec) {
        try (Kernels.Operand queries = kernels.operand(q, k.dtype())) {
            return IntStream.range(0, packing.count())
                    .mapToObj(i -> new TextRows(packing, i))
                    .map(text -> new SymmetricSpectrum(
                            device, kernels, text.queries(queries.tensor()), text.keys(k), spec).ofHeads())
                    .toList();
        }
    }

    @Override
    public void close() {
        kernels.tiles.close();
        device.close();
    }
}
