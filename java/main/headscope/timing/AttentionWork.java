package headscope.timing;

import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** One layer's attention on random operands, and everything that is done with it. Owns its tensors. */
final class AttentionWork implements AutoCloseable {
    private static final int EIGENVALUES = 10;
    /** Numbers drawn on the host; longer tensors repeat them. */
    private static final int DRAWN = 1 << 20;

    private final Backend backend;
    private final Shape shape;
    private final int tokens;
    private final List<AutoCloseable> open = new ArrayList<>();
    private final AttentionSpec spec;
    private final Tensor q;
    private final Tensor k;
    private final Tensor v;
    private final Tensor out;
    private final AttentionStatistics statistics;
    private final AttentionStatistics decoded;

    AttentionWork(Backend backend, Shape shape, int tokens) {
        this.backend = backend;
        this.shape = shape;
        this.tokens = tokens;
        try {
            this.spec = shape.attention().spec(count -> random(DType.F32, count));
            this.q = random(DType.F32, tokens, (long) spec.heads() * spec.headDim());
            this.k = random(backend.operands(), tokens, (long) spec.kvHeads() * spec.headDim());
            this.v = random(backend.operands(), tokens, (long) spec.kvHeads() * spec.headDim());
            this.out = empty(tokens, (long) spec.heads() * spec.headDim());
            this.statistics = add(new AttentionStatistics(backend, spec.heads(), tokens));
            this.decoded = add(new AttentionStatistics(backend, spec.heads(), tokens));
        } catch (Throwable failure) {
            close();
            throw failure;
        }
    }

    /** What every layer of a text goes through. */
    List<Work> all() {
        double products = 2.0 * spec.headDim() * shape.pairs(tokens) * spec.heads();
        double values = (double) spec.heads() * spec.headDim() * tokens * Float.BYTES;
        double keys = (double) spec.kvHeads() * spec.headDim() * tokens * k.dtype().bytes;
        double vectors = 6.0 * spec.heads() * tokens * Float.BYTES;
        Cost forward = new Cost(2 * products, 2 * values + 2 * keys);
        Cost observed = new Cost(2 * products, 2 * values + 2 * keys + vectors);
        Cost rows = new Cost(products, values + keys + vectors);
        Cost columns = new Cost(products, values + keys + (double) spec.heads() * tokens * (Float.BYTES + Double.BYTES));
        return List.of(
                Work.of("attention", () -> backend.attention(out, q, k, v, spec, Optional.empty()))
                        .with("attention_forward", forward),
                Work.of("attention, observed", () -> {
                    statistics.clear();
                    backend.attention(out, q, k, v, spec, Optional.of(statistics));
                }).with("attention_forward", observed).with("attention_columns", columns),
                Work.of("statistics", () -> {
                    statistics.clear();
                    backend.attentionStatistics(q, k, spec, statistics);
                }).with("attention_statistics", rows).with("attention_columns", columns),
                Work.of("decoding, observed", () -> {
                    decoded.clear();
                    decoded.grow(tokens - 1);
                    backend.attention(out.rows(0, 1), q.rows(0, 1), k, v, spec, Optional.of(decoded));
                }).with("attention_", new Cost(4.0 * spec.headDim() * tokens * spec.heads(), 2 * keys)),
                Work.of("laplacian", () -> backend.measure(
                        new Metric.LaplacianEigenvalues(EIGENVALUES), statistics, spec))
                        .with("laplacian", new Cost(0, 12.0 * spec.heads() * tokens)));
    }

    /** The backward pass needs five more tensors. */
    Work gradient() {
        Tensor logSumExp = empty(spec.heads(), tokens);
        Tensor gradient = random(DType.F32, out.shape());
        Tensor qGradient = empty(q.shape());
        Tensor kGradient = empty(k.shape());
        Tensor vGradient = empty(v.shape());
        AttentionSaliency saliency = add(new AttentionSaliency(
                backend, spec.heads(), tokens, AttentionSaliency.Request.vectors(tokens)));
        backend.attention(out, logSumExp, q, k, v, spec);
        // Dao et al. 2022 count five products; what a kernel computes again is not counted.
        Cost cost = new Cost(10.0 * spec.headDim() * shape.pairs(tokens) * spec.heads(),
                8.0 * out.count() + 2.0 * k.count() * (k.dtype().bytes + Float.BYTES));
        return Work.of("gradient, observed", () -> backend.gradients().attention(
                qGradient, kGradient, vGradient, gradient, out, logSumExp, q, k, v, spec, Optional.of(saliency)))
                .with("attention_gradient", cost);
    }

    private <T extends AutoCloseable> T add(T resource) {
        open.add(resource);
        return resource;
    }

    private Tensor empty(long... sizes) {
        Tensor tensor = backend.allocate(DType.F32, sizes);
        open.add(tensor.buffer());
        return tensor;
    }

    private Tensor random(DType dtype, long... sizes) {
        Tensor values = empty(sizes);
        Random random = new Random(open.size());
        float[] drawn = new float[(int) Math.min(DRAWN, values.count())];
        for (int i = 0; i < drawn.length; i++) {
            drawn[i] = (float) random.nextGaussian();
        }
        Tensor flat = values.as(values.count());
        for (long at = 0; at < values.count(); at += drawn.length) {
            long count = Math.min(drawn.length, values.count() - at);
            backend.upload(flat.rows(at, count), MemorySegment.ofArray(drawn).asSlice(0, count * Float.BYTES));
        }
        if (dtype == DType.F32) {
            return values;
        }
        Tensor rounded = backend.allocate(dtype, sizes);
        open.add(rounded.buffer());
        backend.convert(rounded, values);
        return rounded;
    }

    @Override
    public void close() {
        for (AutoCloseable resource : open.reversed()) {
            try {
                resource.close();
            } catch (Exception failure) {
                throw new AssertionError("buffers close without complaint", failure);
            }
        }
        open.clear();
    }
}
