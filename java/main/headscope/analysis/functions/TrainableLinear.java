package headscope.analysis.functions;

import headscope.backend.Backend;
import headscope.backend.Gradients;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;

/** A linear layer trained by AdamW, in fp32: y = x weight' + bias. */
final class TrainableLinear implements AutoCloseable {
    /** A parameter, its gradient, and the running means of the gradient and its square. */
    private record Parameter(Tensor value, Tensor gradient, Tensor m, Tensor v) {
        static Parameter of(Backend backend, float[] start, long... shape) {
            Parameter parameter = new Parameter(
                    backend.allocate(DType.F32, shape), backend.allocate(DType.F32, shape),
                    backend.allocate(DType.F32, shape), backend.allocate(DType.F32, shape));
            backend.upload(parameter.value, MemorySegment.ofArray(start));
            return parameter;
        }

        Stream<Buffer> buffers() {
            return Stream.of(value, gradient, m, v).map(Tensor::buffer);
        }
    }

    private final Backend backend;
    private final Parameter weight;
    private final Parameter bias;

    /** Weights and biases are uniform in +-1 / sqrt(in), as in PyTorch. */
    TrainableLinear(Backend backend, int in, int out, RandomGenerator random) {
        this.backend = backend;
        this.weight = Parameter.of(backend, uniform(Math.multiplyExact(in, out), in, random), out, in);
        this.bias = Parameter.of(backend, uniform(out, in, random), out);
    }

    private static float[] uniform(int count, int in, RandomGenerator random) {
        float bound = (float) (1 / Math.sqrt(in));
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = random.nextFloat(-bound, bound);
        }
        return values;
    }

    /** [out, in]. */
    Tensor weight() {
        return weight.value;
    }

    /** [out]. */
    Tensor bias() {
        return bias.value;
    }

    /** Computes y [rows, out] from x [rows, in]. */
    void forward(Tensor y, Tensor x) {
        backend.linear(y, x, weight.value, Optional.of(bias.value));
    }

    /** Computes xGradient [rows, in] from yGradient [rows, out]. */
    void backward(Tensor xGradient, Tensor yGradient) {
        backend.gradients().linear(xGradient, yGradient, weight.value);
    }

    /** One step of AdamW. @param step number of the step, from 1 */
    void train(Tensor yGradient, Tensor x, Gradients.AdamW settings, int step) {
        Gradients gradients = backend.gradients();
        gradients.linearWeight(weight.gradient, yGradient, x);
        gradients.linearBias(bias.gradient, yGradient);
        for (Parameter each : List.of(weight, bias)) {
            gradients.adamW(each.value, each.gradient, each.m, each.v, settings, step);
        }
    }

    @Override
    public void close() {
        Stream.concat(weight.buffers(), bias.buffers()).forEach(Buffer::close);
    }
}
