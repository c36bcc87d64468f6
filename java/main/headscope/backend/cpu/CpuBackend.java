package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.Activation;
import headscope.backend.AttentionAtlas;
import headscope.backend.AttentionSnapshot;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.Gradients;
import headscope.backend.HeadTransform;
import headscope.backend.HostElements;
import headscope.backend.Packing;
import headscope.backend.Precision;
import headscope.backend.Projections;
import headscope.backend.RowRanges;
import headscope.backend.TextRows;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.Buffer;
import headscope.tensor.Conversion;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Operations in fp32, of weights in fp32 or 16 bits, with Java's Vector API and OpenBLAS. Does not check arguments. */
public final class CpuBackend implements Backend {
    private static final int ALIGNMENT = 64;
    /** Elements that are converted at a time, in the second-level cache. */
    private static final int CONVERTED = 1 << 16;

    private final DType kept;
    private final Workers workers;
    private final RowProducts products;
    private final FusedAttention attention;
    private final ParallelLoop loop;
    private final RowOperations rows;
    private final PagedRows pages = new PagedRows();
    private final CpuGradients gradients;
    private final AtomicLong liveBytes = new AtomicLong();
    private final AtomicLong peakBytes = new AtomicLong();

    /** @param workers number of threads, including the caller's */
    public CpuBackend(int workers) {
        this(workers, DType.F32);
    }

    /** @param kept BF16 or F16: weights that are stored in this type stay in it; F32 if all are widened when they are read */
    public CpuBackend(int workers, DType kept) {
        this.kept = kept;
        this.workers = new Workers(workers);
        this.products = new RowProducts(this.workers);
        this.attention = new FusedAttention(this.workers);
        this.loop = new ParallelLoop(this.workers);
        this.rows = new RowOperations(loop);
        this.gradients = new CpuGradients(this.workers, loop, rows, products);
    }

    @Override
    public String describe() {
        return "cpu, %d workers, %d-bit SIMD, OpenBLAS %s%s".formatted(
                workers.count(), Simd.FLOATS.vectorBitSize(), OpenBlas.core(),
                kept == DType.F32 ? "" : ", weights in " + kept.name().toLowerCase(Locale.ROOT));
    }

    @Override
    public boolean isGpu() {
        return false;
    }

    @Override
    public Tensor allocate(DType dtype, long... shape) {
        long bytes = Math.multiplyExact(Tensor.count(shape), dtype.bytes);
        Arena arena = Arena.ofShared();
        MemorySegment memory =
                bytes < LargeMemory.LEAST ? arena.allocate(bytes, ALIGNMENT) : LargeMemory.allocate(bytes, arena);
        peakBytes.accumulateAndGet(liveBytes.addAndGet(bytes), Math::max);
        Buffer buffer = new Buffer(memory, () -> {
            arena.close();
            liveBytes.addAndGet(-bytes);
        });
        return Tensor.of(buffer, dtype, shape);
    }

    @Override
    public long liveBytes() {
        return liveBytes.get();
    }

    @Override
    public Precision precision() {
        return Precision.F32;
    }

    @Override
    public DType weights(DType stored) {
        return stored == kept ? kept : DType.F32;
    }

    @Override
    public void convert(Tensor destination, Tensor source) {
        Conversion.copy(source.dtype(), source.bytes(), destination.dtype(), destination.bytes());
    }

    @Override
    public Gradients gradients() {
        return gradients;
    }

    @Override
    public void upload(Tensor destination, MemorySegment source) {
        destination.bytes().copyFrom(source);
    }

    @Override
    public void upload(Tensor destination, DType type, HostElements source) {
        LargeMemory.populate(destination.bytes());
        if (type == destination.dtype()) {
            source.write(0, destination.bytes());
            return;
        }
        Tensor elements = destination.as(destination.count());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment block = arena.allocate((long) CONVERTED * type.bytes, ALIGNMENT);
            for (long first = 0; first < elements.count(); first += CONVERTED) {
                Tensor part = elements.rows(first, Math.min(CONVERTED, elements.count() - first));
                MemorySegment stored = block.asSlice(0, part.count() * type.bytes);
                source.write(first, stored);
                if (type == DType.BF16 && part.dtype() == DType.F32) {
                    Widening.widen(type, stored, 0, part.bytes(), 0, part.intSize(0));
                } else {
                    Conversion.copy(type, stored, part.dtype(), part.bytes());
                }
            }
        }
    }

    @Override
    public void download(MemorySegment destination, Tensor source) {
        destination.copyFrom(source.bytes());
    }

    @Override
    public void embed(Tensor destination, Tensor table, int[] ids) {
        for (int i = 0; i < ids.length; i++) {
            convert(destination.rows(i, 1), table.rows(ids[i], 1));
        }
    }

    @Override
    public int[] argmax(Tensor logits) {
        int words = logits.intSize(1);
        return IntStream.range(0, logits.intSize(0))
                .map(row -> Sampling.argmax(logits.bytes(), (long) row * words, words))
                .toArray();
    }

    @Override
    public int[] draw(Tensor logits, double temperature, double topP, double[] marks) {
        int words = logits.intSize(1);
        return IntStream.range(0, marks.length)
                .map(row -> Sampling.draw(logits.bytes(), (long) row * words, words, temperature, topP, marks[row]))
                .toArray();
    }

    @Override
    public void linear(Tensor destination, Tensor x, Tensor weight, Optional<Tensor> bias) {
        int in = x.intSize(1);
        int out = weight.intSize(0);
        products.multiply(
                x.intSize(0), out, in, new Matrix(x.bytes(), 0, in), Matrix.of(weight).transpose(),
                bias.map(Tensor::bytes), new Matrix(destination.bytes(), 0, out));
    }

    @Override
    public void layerNorm(Tensor destination, Tensor x, Tensor weight, Tensor bias, float epsilon) {
        rows.layerNorm(destination.bytes(), x.bytes(), weight.bytes(), bias.bytes(), weight.intSize(0), epsilon);
    }

    @Override
    public void rmsNorm(Tensor destination, Tensor x, Tensor weight, float epsilon) {
        rows.rmsNorm(destination.bytes(), x.bytes(), weight.bytes(), weight.intSize(0), epsilon);
    }

    @Override
    public void splitHeads(Projections to, Tensor joined, HeadTransform transform, Packing packing) {
        new SplitHeads(loop, transform).run(to, joined, packing);
    }

    @Override
    public void activate(Tensor destination, Tensor x, Activation f) {
        rows.activate(destination.bytes(), x.bytes(), f);
    }

    @Override
    public void gate(Tensor destination, Tensor gateUp, Activation f) {
        rows.gate(destination.bytes(), gateUp.bytes(), destination.intSize(1), f);
    }

    @Override
    public void add(Tensor x, Tensor y) {
        rows.add(x.bytes(), y.bytes());
    }

    @Override
    public void addRow(Tensor x, Tensor row) {
        for (int i = 0; i < x.size(0); i++) {
            rows.add(x.rows(i, 1).bytes(), row.bytes());
        }
    }

    @Override
    public void route(Tensor logits, int chosen) {
        for (int token = 0; token < logits.size(0); token++) {
            Routing.choose(logits.rows(token, 1).bytes(), chosen);
        }
    }

    @Override
    public void addShare(Tensor x, Tensor y, Tensor shares, int column) {
        for (int token = 0; token < x.size(0); token++) {
            float share = shares.bytes().getAtIndex(JAVA_FLOAT, token * shares.size(1) + column);
            if (share != 0) {
                rows.addTimes(x.rows(token, 1).bytes(), y.rows(token, 1).bytes(), share);
            }
        }
    }

    @Override
    public void scale(Tensor x, float factor) {
        rows.scale(x.bytes(), factor);
    }

    @Override
    public void multiply(Tensor x, Tensor y) {
        rows.multiply(x.bytes(), y.bytes());
    }

    @Override
    public void scaleHeads(Tensor x, Tensor factors, RowRanges ranges) {
        int heads = factors.intSize(1);
        rows.scaleHeads(x.bytes(), factors.bytes(), ranges, heads, x.intSize(1) / heads);
    }

    @Override
    public void softCap(Tensor x, float cap) {
        rows.softCap(x.bytes(), cap);
    }

    @Override
    public void attention(
            Tensor out, Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec,
            Optional<AttentionStatistics> statistics) {
        if (packing.pages().isPresent()) {
            Optional<Packing> inPool = packing.inPool();
            if (inPool.isPresent()) {
                attention(out, q, k, v, inPool.get(), spec, statistics);
            } else {
                attention(out, q, pages.keys(k, packing), pages.values(v, packing), packing.withoutPages(), spec, statistics);
            }
            return;
        }
        attention.run(new FusedAttention.Call(
                spec, packing, q, k, Optional.of(v), Optional.of(out), statistics, Optional.empty()));
    }

    @Override
    public void attention(
            Tensor out, Tensor logSumExp, Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec) {
        attention.run(new FusedAttention.Call(
                spec, packing, q, k, Optional.of(v), Optional.of(out), Optional.empty(), Optional.of(logSumExp)));
    }

    @Override
    public void attentionStatistics(
            Tensor q, Tensor k, Packing packing, AttentionSpec spec, AttentionStatistics statistics) {
        attention.run(new FusedAttention.Call(
                spec, packing, q, k, Optional.empty(), Optional.empty(), Optional.of(statistics), Optional.empty()));
    }

    @Override
    public void attentionMap(Tensor destination, Tensor q, Tensor k, AttentionSpec spec, int head) {
        attention.map(destination, q, k, spec, head);
    }

    @Override
    public List<LayerResult> measure(List<Metric> metrics, AttentionStatistics statistics, AttentionSpec spec) {
        int heads = spec.heads();
        List<Map<Metric, double[][]>> values = Stream.generate(() -> empty(metrics, heads))
                .limit(statistics.texts())
                .toList();
        List<AttentionStatistics> texts = IntStream.range(0, statistics.texts()).mapToObj(statistics::text).toList();
        workers.each(texts.size() * heads, index -> {
            int head = index % heads;
            HeadFold fold = new HeadFold(texts.get(index / heads), spec, head);
            values.get(index / heads).forEach((metric, ofHeads) -> ofHeads[head] = fold.of(metric));
        });
        return values.stream().map(LayerResult::new).toList();
    }

    private static Map<Metric, double[][]> empty(List<Metric> metrics, int heads) {
        Map<Metric, double[][]> values = new LinkedHashMap<>();
        metrics.forEach(metric -> values.put(metric, new double[heads][]));
        return values;
    }

    @Override
    public AttentionSnapshot snapshot(
            AttentionSnapshot.Request request, AttentionStatistics statistics, AttentionSpec spec) {
        int tokens = statistics.tokens();
        Map<Metric, double[][]> values = new LinkedHashMap<>();
        request.metrics().forEach(metric -> values.put(metric, new double[statistics.heads()][1]));
        for (int head = 0; head < statistics.heads(); head++) {
            double[] ofHead = HeadFold.ofSums(request.metrics(), statistics, spec, head);
            for (int i = 0; i < ofHead.length; i++) {
                values.get(request.metrics().get(i))[head][0] = ofHead[i];
            }
        }
        LayerResult metrics = new LayerResult(values);
        Optional<AttentionSnapshot.HeadVectors> vectors = request.head().map(head -> new AttentionSnapshot.HeadVectors(
                statistics.hasRow() ? ofHead(statistics.row, head, tokens).toArray(JAVA_FLOAT) : new float[0],
                ofHead(statistics.columnSum, head, tokens).toArray(JAVA_DOUBLE),
                ofHead(statistics.logDiagonal, head, tokens).toArray(JAVA_FLOAT)));
        return request.firstRow()
                .map(row -> {
                    AttentionAtlas atlas = statistics.atlas().orElseThrow();
                    return new AttentionSnapshot(
                            tokens, metrics, atlas.spec.bin(tokens), row, AtlasCells.read(atlas, tokens, row), vectors);
                })
                .orElseGet(() -> new AttentionSnapshot(tokens, metrics, 0, 0, new float[0], vectors));
    }

    /** The first elements of a head's vector in [heads, capacity]. */
    private static MemorySegment ofHead(Tensor vectors, int head, int tokens) {
        return vectors.rows(head, 1).bytes().asSlice(0, (long) tokens * vectors.dtype().bytes);
    }

    @Override
    public List<double[][]> symmetricSpectrum(Tensor q, Tensor k, Packing packing, AttentionSpec spec) {
        int heads = spec.heads();
        List<double[][]> values = Stream.generate(() -> new double[heads][]).limit(packing.count()).toList();
        workers.each(packing.count() * heads, index -> {
            TextRows text = new TextRows(packing, index / heads);
            values.get(index / heads)[index % heads] =
                    symmetricSpectrum(text.queries(q), text.keys(k), spec, index % heads);
        });
        return values;
    }

    private double[] symmetricSpectrum(Tensor q, Tensor k, AttentionSpec spec, int head) {
        int tokens = q.intSize(0);
        Tensor map = allocate(DType.F32, tokens, tokens);
        try {
            attentionMap(map, q, k, spec, head);
            return SymmetricLaplacian.eigenvalues(tokens,
                    (row, column) -> map.bytes().getAtIndex(JAVA_FLOAT, (long) row * tokens + column));
        } finally {
            map.buffer().close();
        }
    }

    @Override
    public SequencedMap<String, Double> time(Runnable work) {
        long start = System.nanoTime();
        work.run();
        SequencedMap<String, Double> seconds = new LinkedHashMap<>();
        seconds.put("cpu", (System.nanoTime() - start) / 1e9);
        return seconds;
    }

    @Override
    public long peakBytes() {
        return peakBytes.getAndSet(liveBytes.get())
                + attention.scratchBytes() + gradients.scratchBytes() + products.scratchBytes() + pages.bytes();
    }

    @Override
    public void close() {
        attention.close();
        pages.close();
        gradients.close();
        products.close();
        workers.close();
    }
}
