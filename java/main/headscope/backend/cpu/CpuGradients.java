package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.Activation;
import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.backend.Gradients;
import headscope.backend.HeadTransform;
import headscope.backend.Packing;
import headscope.backend.Projections;
import headscope.backend.RowRanges;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/** Gradients of the operations of {@link CpuBackend}. */
final class CpuGradients implements Gradients, AutoCloseable {
    private final Workers workers;
    private final RowProducts products;
    private final ProductParts parts;
    private final ParallelLoop loop;
    private final RowOperations operations;
    private final RowGradients rows;
    private final FusedAttentionBackward attention;

    CpuGradients(Workers workers, ParallelLoop loop, RowOperations operations, RowProducts products) {
        this.workers = workers;
        this.products = products;
        this.parts = new ProductParts(workers);
        this.loop = loop;
        this.operations = operations;
        this.rows = new RowGradients(loop);
        this.attention = new FusedAttentionBackward(workers);
    }

    @Override
    public void linear(Tensor destination, Tensor gradient, Tensor weight) {
        int out = gradient.intSize(1);
        int in = weight.intSize(1);
        products.multiply(
                gradient.intSize(0), in, out, new Matrix(gradient.bytes(), 0, out), Matrix.of(weight),
                Optional.empty(), new Matrix(destination.bytes(), 0, in));
    }

    @Override
    public void linearWeight(Tensor destination, Tensor gradient, Tensor x) {
        int tokens = gradient.intSize(0);
        int out = gradient.intSize(1);
        int in = x.intSize(1);
        boolean byOut = out >= in;
        parts.each(Math.max(out, in), (long) tokens * in * out, (from, count) -> {
            int row = byOut ? from : 0;
            int column = byOut ? 0 : from;
            OpenBlas.multiply(
                    byOut ? count : out, byOut ? in : count, tokens, 1,
                    new Matrix(gradient.bytes(), row, out).transpose(), new Matrix(x.bytes(), column, in),
                    0, new Matrix(destination.bytes(), (long) row * in + column, in));
        });
    }

    @Override
    public void linearBias(Tensor destination, Tensor gradient) {
        MemorySegment sums = destination.bytes().fill((byte) 0);
        for (int token = 0; token < gradient.size(0); token++) {
            operations.add(sums, gradient.rows(token, 1).bytes());
        }
    }

    @Override
    public void layerNorm(Tensor destination, Tensor gradient, Tensor x, Tensor weight, float epsilon) {
        rows.layerNorm(
                destination.bytes(), gradient.bytes(), x.bytes(), weight.bytes(), weight.intSize(0), epsilon);
    }

    @Override
    public void rmsNorm(Tensor destination, Tensor gradient, Tensor x, Tensor weight, float epsilon) {
        rows.rmsNorm(destination.bytes(), gradient.bytes(), x.bytes(), weight.bytes(), weight.intSize(0), epsilon);
    }

    @Override
    public void splitHeads(Tensor joinedGradient, Projections gradients, Tensor joined, HeadTransform transform) {
        new SplitHeads(loop, transform).gradient(joinedGradient, gradients, joined);
    }

    @Override
    public void activate(Tensor gradient, Tensor x, Activation f) {
        rows.activate(gradient.bytes(), x.bytes(), f);
    }

    @Override
    public void gate(
            Tensor gateUpGradient, Tensor gradient, Tensor gateUp, Activation f) {
        rows.gate(gateUpGradient.bytes(), gradient.bytes(), gateUp.bytes(), gradient.intSize(1), f);
    }

    @Override
    public void softCap(Tensor gradient, Tensor capped, float cap) {
        rows.softCap(gradient.bytes(), capped.bytes(), cap);
    }

    @Override
    public void route(Tensor gradient, Tensor shares) {
        rows.route(gradient.bytes(), shares.bytes(), shares.intSize(1));
    }

    @Override
    public void addShare(
            Tensor yGradient, Tensor shareGradient, Tensor gradient, Tensor y, Tensor shares, int column) {
        rows.addShare(
                yGradient.bytes(), shareGradient.bytes(), gradient.bytes(), y.bytes(), shares.bytes(), y.intSize(1),
                shares.intSize(1), column);
    }

    @Override
    public void embed(Tensor destination, Tensor gradient, int[] ids) {
        MemorySegment table = destination.bytes().fill((byte) 0);
        long rowBytes = gradient.size(1) * Float.BYTES;
        for (int i = 0; i < ids.length; i++) {
            MemorySegment.copy(gradient.bytes(), i * rowBytes, table, ids[i] * rowBytes, rowBytes);
        }
    }

    @Override
    public void scaleHeads(Tensor destination, Tensor gradient, Tensor x, RowRanges ranges) {
        int heads = destination.intSize(1);
        int headDim = x.intSize(1) / heads;
        MemorySegment sums = destination.bytes();
        workers.each(ranges.count() * heads, factor -> sums.setAtIndex(JAVA_FLOAT, factor, RowGradients.head(
                gradient.bytes(), x.bytes(), ranges.first(factor / heads), ranges.end(factor / heads), factor % heads,
                heads, headDim)));
    }

    @Override
    public void attention(
            Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor gradient, Tensor out, Tensor logSumExp,
            Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec,
            List<Optional<AttentionSaliency>> saliency) {
        attention.run(new FusedAttentionBackward.Call(
                qGradient, kGradient, vGradient, gradient, out, logSumExp, q, k, v, packing, spec, saliency));
    }

    @Override
    public float[] crossEntropy(Tensor logits, int[] targets, float[] factors) {
        int words = logits.intSize(1);
        float[] losses = new float[targets.length];
        MemorySegment values = logits.bytes();
        loop.rows(values, words, (row, end) -> {
            int at = (int) (row / words);
            losses[at] = CrossEntropy.row(values, row, words, targets[at], factors[at]);
        });
        return losses;
    }

    @Override
    public void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamW settings, int step) {
        rows.adamW(parameter.bytes(), gradient.bytes(), m.bytes(), v.bytes(), settings, step);
    }

    /** Bytes of temporary memory, which is kept until {@link #close}. */
    long scratchBytes() {
        return attention.scratchBytes();
    }

    @Override
    public void close() {
        attention.close();
    }
}
