package headscope.timing;

import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.backend.Packing;
import headscope.backend.TensorScope;
import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/** Operations on the attention of one layer, to be timed on random operands of the types that a model has. Owns its tensors. */
final class AttentionWork implements AutoCloseable {
    private static final int EIGENVALUES = 10;

    private final Backend backend;
    private final Shape shape;
    private final int tokens;
    private final TensorScope tensors;
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
        this.tensors = new TensorScope(backend);
        try {
            this.spec = shape.attention().spec(heads -> RandomTensors.normal(tensors, DType.F32, 0, heads));
            this.q = RandomTensors.normal(tensors, backend.operands(), 1, tokens, (long) spec.heads() * spec.headDim());
            this.k = RandomTensors.normal(tensors, backend.operands(), 2, tokens, (long) spec.kvHeads() * spec.headDim());
            this.v = RandomTensors.normal(tensors, backend.operands(), 3, tokens, (long) spec.kvHeads() * spec.headDim());
            this.out = tensors.allocate(backend.operands(), tokens, (long) spec.heads() * spec.headDim());
            this.statistics = tensors.statistics(spec.heads(), tokens);
            this.decoded = tensors.statistics(spec.heads(), tokens);
        } catch (Throwable failure) {
            close();
            throw failure;
        }
    }

    /** Forward pass, statistics and metrics. */
    List<Work> all() {
        double products = 2.0 * spec.headDim() * shape.pairs(tokens) * spec.heads();
        double values = (double) spec.heads() * spec.headDim() * tokens * q.dtype().bytes;
        double keys = (double) spec.kvHeads() * spec.headDim() * tokens * k.dtype().bytes;
        double vectors = 6.0 * spec.heads() * tokens * Float.BYTES;
        Cost forward = new Cost(2 * products, 2 * values + 2 * keys);
        Cost observed = new Cost(2 * products, 2 * values + 2 * keys + vectors);
        Cost rows = new Cost(products, values + keys + vectors);
        Cost columns = new Cost(products, values + keys + (double) spec.heads() * tokens * (Float.BYTES + Double.BYTES));
        return List.of(
                Work.of("attention", () -> backend.attention(out, q, k, v,
                        Packing.of(q.intSize(0), k.intSize(0)), spec, Optional.empty()))
                        .with("attention_forward", forward),
                Work.of("attention, observed", () -> {
                    statistics.clear();
                    backend.attention(out, q, k, v,
                            Packing.of(q.intSize(0), k.intSize(0)), spec, Optional.of(statistics));
                }).with("attention_forward", observed).with("attention_columns", columns),
                Work.of("statistics", () -> {
                    statistics.clear();
                    backend.attentionStatistics(q, k, Packing.of(q.intSize(0), k.intSize(0)), spec, statistics);
                }).with("attention_statistics", rows).with("attention_columns", columns),
                Work.of("decoding, observed", () -> {
                    decoded.clear();
                    decoded.grow(tokens - 1);
                    backend.attention(out.rows(0, 1), q.rows(0, 1), k, v,
                            Packing.of(1, k.intSize(0)), spec, Optional.of(decoded));
                }).with("attention_", new Cost(4.0 * spec.headDim() * tokens * spec.heads(), 2 * keys)),
                Work.of("laplacian", () -> backend.measure(
                        List.of(new Metric.LaplacianEigenvalues(EIGENVALUES)), statistics, spec).getFirst())
                        .with("laplacian", new Cost(0, 12.0 * spec.heads() * tokens)));
    }

    /** The backward pass, which allocates six more tensors. */
    Work gradient() {
        Tensor exact = tensors.allocate(DType.F32, out.shape());
        Tensor logSumExp = tensors.allocate(DType.F32, spec.heads(), tokens);
        Tensor gradient = RandomTensors.normal(tensors, DType.F32, 4, out.shape());
        Tensor qGradient = tensors.allocate(DType.F32, q.shape());
        Tensor kGradient = tensors.allocate(DType.F32, k.shape());
        Tensor vGradient = tensors.allocate(DType.F32, v.shape());
        AttentionSaliency saliency = tensors.saliency(
                spec.heads(), tokens, AttentionSaliency.Request.vectors(tokens));
        backend.attention(exact, logSumExp, q, k, v, Packing.of(q.intSize(0), k.intSize(0)), spec);
        // Five products, as Dao et al. 2022 count them; products that the query-gradient kernel repeats are not counted.
        double product = 2.0 * spec.headDim() * shape.pairs(tokens) * spec.heads();
        double read = 2.0 * out.count() * Float.BYTES + q.count() * q.dtype().bytes + 2.0 * k.count() * k.dtype().bytes;
        Cost queries = new Cost(product, read + (double) q.count() * Float.BYTES);
        Cost keys = new Cost(4 * product, read + 2.0 * k.count() * Float.BYTES);
        return Work.of("gradient, observed", () -> backend.gradients().attention(
                qGradient, kGradient, vGradient, gradient, exact, logSumExp, q, k, v,
                Packing.of(q.intSize(0), k.intSize(0)), spec, List.of(Optional.of(saliency))))
                .with("attention_query_gradient", queries).with("attention_key_gradient", keys);
    }

    @Override
    public void close() {
        tensors.close();
    }
}
