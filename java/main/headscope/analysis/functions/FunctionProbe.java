package headscope.analysis.functions;

import headscope.backend.Activation;
import headscope.backend.Backend;
import headscope.backend.Gradients;
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
 * Which function a text asks for, read off the outputs of all heads (Cognitive Mirrors, arXiv 2512.10978): every head's
 * x' goes through one projection that all heads share, p = W_p x' + b_p; the projections of all heads one after the
 * other go through linear, ReLU, dropout, linear to a logit for each function. fp32.
 */
final class FunctionProbe implements AutoCloseable {
    /**
     * @param heads      of all layers
     * @param width      elements of x'
     * @param projection elements of p
     * @param hidden     neurons between
     * @param functions  logits
     */
    record Sizes(int heads, int width, int projection, int hidden, int functions) {
        /** Elements of all heads' p. */
        int projections() {
            return Math.multiplyExact(heads, projection);
        }
    }

    private final Sizes sizes;
    private final Backend backend;
    private final int most;
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

    /** @param most texts that it is ever given at once */
    FunctionProbe(Backend backend, Sizes sizes, int most, RandomGenerator random) {
        this.sizes = sizes;
        this.backend = backend;
        this.most = most;
        this.project = new TrainableLinear(backend, sizes.width, sizes.projection, random);
        this.hide = new TrainableLinear(backend, sizes.projections(), sizes.hidden, random);
        this.decide = new TrainableLinear(backend, sizes.hidden, sizes.functions, random);
        this.inputs = allocate((long) most * sizes.heads, sizes.width);
        this.projections = allocate(most, sizes.projections());
        this.hidden = allocate(most, sizes.hidden);
        this.logits = allocate(most, sizes.functions);
        this.mask = allocate(most, sizes.hidden);
        this.projectionsGradient = allocate(most, sizes.projections());
        this.hiddenGradient = allocate(most, sizes.hidden);
        this.contribution = allocate(sizes.heads);
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
     * One step towards the functions that texts ask for: cross-entropy, mean over the texts.
     *
     * @param texts     by their places, at most as many as it may be given at once
     * @param functions of these texts
     * @param keep      factors on the hidden neurons, [texts * hidden]: 0 where dropped
     * @return - log probability of each text's function before the step, nats
     */
    float[] train(HeadFeatures features, int[] texts, int[] functions, float[] keep, Gradients.AdamW settings) {
        int count = texts.length;
        float[] factors = new float[count];
        Arrays.fill(factors, 1f / count);
        Tensor dropout = mask.rows(0, count);
        backend.upload(dropout, MemorySegment.ofArray(keep));
        forward(features.of(texts), count, Optional.of(dropout));
        Tensor decided = logits.rows(0, count);
        float[] losses = backend.gradients().crossEntropy(decided, functions, factors);
        backward(count, Optional.of(dropout));
        step++;
        decide.train(decided, hidden.rows(0, count), settings, step);
        hide.train(hiddenGradient.rows(0, count), projections.rows(0, count), settings, step);
        project.train(perHead(projectionsGradient, count), inputs.rows(0, (long) count * sizes.heads), settings, step);
        return losses;
    }

    /** [texts * functions], without dropout. */
    float[] logits(HeadFeatures features, int[] texts) {
        float[] all = new float[texts.length * sizes.functions];
        for (int first = 0; first < texts.length; first += most) {
            int[] batch = batch(texts, first);
            forward(features.of(batch), batch.length, Optional.empty());
            float[] some = backend.download(logits.rows(0, batch.length));
            System.arraycopy(some, 0, all, first * sizes.functions, some.length);
        }
        return all;
    }

    /**
     * Of each head, the sum over texts and elements of p times the gradient of a function's logit with respect to p;
     * without dropout.
     *
     * @return [heads]
     */
    double[] contribution(HeadFeatures features, int[] texts, int function) {
        double[] sums = new double[sizes.heads];
        for (int first = 0; first < texts.length; first += most) {
            int[] batch = batch(texts, first);
            forward(features.of(batch), batch.length, Optional.empty());
            float[] chosen = new float[batch.length * sizes.functions];
            for (int text = 0; text < batch.length; text++) {
                chosen[text * sizes.functions + function] = 1;
            }
            backend.upload(logits.rows(0, batch.length), MemorySegment.ofArray(chosen));
            backward(batch.length, Optional.empty());
            backend.gradients().scaleHeads(
                    contribution, projectionsGradient.rows(0, batch.length), projections.rows(0, batch.length));
            float[] some = backend.download(contribution);
            for (int head = 0; head < sums.length; head++) {
                sums[head] += some[head];
            }
        }
        return sums;
    }

    private int[] batch(int[] texts, int first) {
        return Arrays.copyOfRange(texts, first, Math.min(texts.length, first + most));
    }

    private void forward(float[] x, int texts, Optional<Tensor> dropout) {
        Tensor input = inputs.rows(0, (long) texts * sizes.heads);
        Tensor inner = hidden.rows(0, texts);
        backend.upload(input, MemorySegment.ofArray(x));
        project.forward(perHead(projections, texts), input);
        hide.forward(inner, projections.rows(0, texts));
        backend.activate(inner, Activation.RELU);
        dropout.ifPresent(factors -> backend.multiply(inner, factors));
        decide.forward(logits.rows(0, texts), inner);
    }

    /** From the gradient that stands in logits. Hidden neurons are positive exactly where their input was. */
    private void backward(int texts, Optional<Tensor> dropout) {
        Tensor inner = hiddenGradient.rows(0, texts);
        decide.backward(inner, logits.rows(0, texts));
        dropout.ifPresent(factors -> backend.multiply(inner, factors));
        backend.gradients().activate(inner, hidden.rows(0, texts), Activation.RELU);
        hide.backward(projectionsGradient.rows(0, texts), inner);
    }

    /** [texts, heads * projection] as [texts * heads, projection]. */
    private Tensor perHead(Tensor tensor, int texts) {
        return tensor.rows(0, texts).as((long) texts * sizes.heads, sizes.projection);
    }

    @Override
    public void close() {
        List.of(project, hide, decide).forEach(TrainableLinear::close);
        buffers.forEach(Buffer::close);
    }
}
