package headscope.analysis.functions;

import headscope.backend.Activation;
import headscope.backend.Backend;
import headscope.backend.Gradients;
import headscope.backend.RowRanges;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * A probe that predicts from the outputs of all heads which function a text needs (Cognitive Mirrors, arXiv 2512.10978).
 * One projection shared by all heads maps the features x' of each head to p = W_p x' + b_p; the concatenated projections
 * pass through linear, ReLU, dropout and linear to a logit per function. fp32.
 */
final class FunctionProbe implements AutoCloseable {
    /**
     * @param heads      number of heads in all layers
     * @param width      elements of x'
     * @param projection elements of p
     * @param hidden     hidden units
     * @param functions  number of logits
     */
    record Sizes(int heads, int width, int projection, int hidden, int functions) {
        /** Elements of the concatenated projections. */
        int projections() {
            return Math.multiplyExact(heads, projection);
        }
    }

    private final Sizes sizes;
    private final Backend backend;
    private final int maxTexts;
    private final List<Buffer> buffers = new ArrayList<>();
    private final TrainableLinear project;
    private final TrainableLinear hide;
    private final TrainableLinear decide;
    private final Tensor inputs;
    private final Tensor projections;
    private final Tensor hidden;
    private final Tensor logits;
    private final Tensor mask;
    private final Tensor projectionsGradient;
    private final Tensor hiddenGradient;
    private final Tensor contribution;
    private int step;

    /** @param maxTexts maximum number of texts in a batch */
    FunctionProbe(Backend backend, Sizes sizes, int maxTexts, RandomGenerator random) {
        this.sizes = sizes;
        this.backend = backend;
        this.maxTexts = maxTexts;
        this.project = new TrainableLinear(backend, sizes.width, sizes.projection, random);
        this.hide = new TrainableLinear(backend, sizes.projections(), sizes.hidden, random);
        this.decide = new TrainableLinear(backend, sizes.hidden, sizes.functions, random);
        this.inputs = allocate((long) maxTexts * sizes.heads, sizes.width);
        this.projections = allocate(maxTexts, sizes.projections());
        this.hidden = allocate(maxTexts, sizes.hidden);
        this.logits = allocate(maxTexts, sizes.functions);
        this.mask = allocate(maxTexts, sizes.hidden);
        this.projectionsGradient = allocate(maxTexts, sizes.projections());
        this.hiddenGradient = allocate(maxTexts, sizes.hidden);
        this.contribution = allocate(1, sizes.heads);
    }

    private Tensor allocate(long... shape) {
        Tensor tensor = backend.allocate(DType.F32, shape);
        buffers.add(tensor.buffer());
        return tensor;
    }

    TrainableLinear project() {
        return project;
    }

    TrainableLinear hide() {
        return hide;
    }

    TrainableLinear decide() {
        return decide;
    }

    /**
     * One training step on a batch: cross-entropy, mean over the texts.
     *
     * @param texts     indices of the texts in the features, at most {@code maxTexts}
     * @param functions one per text
     * @param dropout   factors on the hidden units, [texts, hidden]
     * @return the negative log probability of each text's function before the step, nats
     */
    float[] train(HeadFeatures features, int[] texts, int[] functions, float[] dropout, Gradients.AdamW settings) {
        int count = texts.length;
        float[] factors = new float[count];
        Arrays.fill(factors, 1f / count);
        Tensor kept = mask.rows(0, count);
        backend.upload(kept, MemorySegment.ofArray(dropout));
        forward(features.of(texts), count, Optional.of(kept));
        Tensor decided = logits.rows(0, count);
        float[] losses = backend.gradients().crossEntropy(decided, functions, factors);
        backward(count, Optional.of(kept));
        step++;
        decide.train(decided, hidden.rows(0, count), settings, step);
        hide.train(hiddenGradient.rows(0, count), projections.rows(0, count), settings, step);
        project.train(perHead(projectionsGradient, count), inputs.rows(0, (long) count * sizes.heads), settings, step);
        return losses;
    }

    /** The logits [texts, functions], without dropout. */
    float[] logits(HeadFeatures features, int[] texts) {
        float[] all = new float[texts.length * sizes.functions];
        for (int first = 0; first < texts.length; first += maxTexts) {
            int[] batch = batch(texts, first);
            forward(features.of(batch), batch.length, Optional.empty());
            float[] some = backend.download(logits.rows(0, batch.length));
            System.arraycopy(some, 0, all, first * sizes.functions, some.length);
        }
        return all;
    }

    /**
     * The contribution of each head to a function's logit y: the sum over texts and elements of p dy/dp, without dropout.
     *
     * @return [heads]
     */
    double[] contribution(HeadFeatures features, int[] texts, int function) {
        double[] sums = new double[sizes.heads];
        for (int first = 0; first < texts.length; first += maxTexts) {
            int[] batch = batch(texts, first);
            forward(features.of(batch), batch.length, Optional.empty());
            float[] chosen = new float[batch.length * sizes.functions];
            for (int text = 0; text < batch.length; text++) {
                chosen[text * sizes.functions + function] = 1;
            }
            backend.upload(logits.rows(0, batch.length), MemorySegment.ofArray(chosen));
            backward(batch.length, Optional.empty());
            backend.gradients().scaleHeads(
                    contribution, projectionsGradient.rows(0, batch.length), projections.rows(0, batch.length),
                    RowRanges.all(batch.length));
            float[] some = backend.download(contribution);
            for (int head = 0; head < sums.length; head++) {
                sums[head] += some[head];
            }
        }
        return sums;
    }

    private int[] batch(int[] texts, int first) {
        return Arrays.copyOfRange(texts, first, Math.min(texts.length, first + maxTexts));
    }

    private void forward(float[] x, int texts, Optional<Tensor> dropout) {
        Tensor input = inputs.rows(0, (long) texts * sizes.heads);
        Tensor inner = hidden.rows(0, texts);
        backend.upload(input, MemorySegment.ofArray(x));
        project.forward(perHead(projections, texts), input);
        hide.forward(inner, projections.rows(0, texts));
        backend.activate(inner, inner, Activation.RELU);
        dropout.ifPresent(factors -> backend.multiply(inner, factors));
        decide.forward(logits.rows(0, texts), inner);
    }

    /** Propagates the gradient in logits back. A hidden unit is positive exactly where its input to ReLU is. */
    private void backward(int texts, Optional<Tensor> dropout) {
        Tensor inner = hiddenGradient.rows(0, texts);
        decide.backward(inner, logits.rows(0, texts));
        dropout.ifPresent(factors -> backend.multiply(inner, factors));
        backend.gradients().activate(inner, hidden.rows(0, texts), Activation.RELU);
        hide.backward(projectionsGradient.rows(0, texts), inner);
    }

    /** Views [texts, heads * projection] as [texts * heads, projection]. */
    private Tensor perHead(Tensor tensor, int texts) {
        return tensor.rows(0, texts).as((long) texts * sizes.heads, sizes.projection);
    }

    @Override
    public void close() {
        List.of(project, hide, decide).forEach(TrainableLinear::close);
        buffers.forEach(Buffer::close);
    }
}
