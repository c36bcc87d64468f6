package headscope.backend;

import static headscope.backend.Agreement.agree;
import static headscope.backend.Agreement.same;
import static headscope.backend.Parity.compare;
import static headscope.backend.Parity.compareBits;
import static headscope.backend.Parity.expected;

import headscope.Seed;
import headscope.Tolerance;
import headscope.backend.Parity.Operation;
import headscope.backend.cpu.CpuBackend;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradients of operations on rows and elements, on every backend and on {@link ReferenceGradients}. */
class GradientsParityTest {
    private static final int ROWS = 5;
    private static final float EPSILON = 1e-5f;

    /** A gradient that is written to a tensor, in place or not. */
    private interface InPlace {
        void on(Gradients gradients, Tensor place, TensorScope on);
    }

    private static Operation inPlace(float[] values, InPlace operation, long... shape) {
        return on -> {
            Tensor place = on.tensor(values, shape);
            operation.on(on.backend.gradients(), place, on);
            return on.backend.download(place);
        };
    }

    private static Operation into(InPlace operation, long... shape) {
        return on -> {
            Tensor destination = on.unwritten(shape);
            operation.on(on.backend.gradients(), destination, on);
            return on.backend.download(destination);
        };
    }

    private static Operation input(float[] gradient, float[] weight, int tokens, int in, int out) {
        return into((gradients, destination, on) -> gradients.linear(
                destination, on.tensor(gradient, tokens, out), on.tensor(weight, out, in)), tokens, in);
    }

    private static Operation weight(float[] gradient, float[] x, int tokens, int in, int out) {
        return into((gradients, destination, on) -> gradients.linearWeight(
                destination, on.tensor(gradient, tokens, out), on.tensor(x, tokens, in)), out, in);
    }

    private static Operation bias(float[] gradient, int tokens, int out) {
        return into((gradients, destination, on) -> gradients.linearBias(
                destination, on.tensor(gradient, tokens, out)), out);
    }

    /** Each of the three lengths takes every size; the other two are small or odd. */
    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void linear(int size, Inputs inputs) {
        for (int[] shape : new int[][] {{size, 33, 17}, {3, size, 65}, {2, 65, size}}) {
            linear(inputs, shape[0], shape[1], shape[2]);
        }
    }

    /** Sizes at which backends divide either side among workers. */
    @ParameterizedTest
    @EnumSource(names = {"NORMAL", "OUTLIERS"})
    void largeLinear(Inputs inputs) {
        linear(inputs, 331, 67, 129);
        linear(inputs, 35, 1100, 40);
    }

    private static void linear(Inputs inputs, int tokens, int in, int out) {
        Random random = Seed.random("linear's gradient", tokens, in, out);
        float[] gradient = inputs.values(random, tokens, out);
        float[] x = inputs.values(random, tokens, in);
        float[] weight = inputs.values(random, out, in);
        String shape = " of %d x %d x %d".formatted(tokens, in, out);
        float[] ofInput = expected(input(Magnitude.of(gradient), Magnitude.of(weight), tokens, in, out));
        compare("x" + shape, input(gradient, weight, tokens, in, out), i -> Tolerance.sum(out, ofInput[i]));
        float[] ofWeight = expected(weight(Magnitude.of(gradient), Magnitude.of(x), tokens, in, out));
        compare("weight" + shape, weight(gradient, x, tokens, in, out), i -> Tolerance.sum(tokens, ofWeight[i]));
        float[] ofBias = expected(bias(Magnitude.of(gradient), tokens, out));
        compare("bias" + shape, bias(gradient, tokens, out), i -> Tolerance.sum(tokens, ofBias[i]));
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void layerNorm(int width, Inputs inputs) {
        Random random = Seed.random("layerNorm's gradient", width);
        float[] x = inputs.values(random, ROWS, width);
        float[] gradient = inputs.values(random, ROWS, width);
        float[] weight = Inputs.NORMAL.values(random, 1, width);
        IntToDoubleFunction tolerance = i -> norm(x, gradient, weight, i, true);
        compare("layerNorm of width " + width, into((gradients, destination, on) -> gradients.layerNorm(
                destination, on.tensor(gradient, ROWS, width), on.tensor(x, ROWS, width), on.tensor(weight, width),
                EPSILON), ROWS, width), tolerance);
        compare("layerNorm in place", inPlace(gradient, (gradients, place, on) -> gradients.layerNorm(
                place, place, on.tensor(x, ROWS, width), on.tensor(weight, width), EPSILON), ROWS, width), tolerance);
    }

    /** One group, and several groups as in norms of heads. */
    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void rmsNorm(int width, Inputs inputs) {
        Random random = Seed.random("rmsNorm's gradient", width);
        float[] weight = Inputs.NORMAL.values(random, 1, width);
        for (int groups : new int[] {1, 3}) {
            int all = groups * width;
            float[] x = inputs.values(random, ROWS, all);
            float[] gradient = inputs.values(random, ROWS, all);
            IntToDoubleFunction tolerance = i -> norm(x, gradient, weight, i, false);
            compare("rmsNorm of width " + width, into((gradients, destination, on) -> gradients.rmsNorm(
                    destination, on.tensor(gradient, ROWS, all), on.tensor(x, ROWS, all), on.tensor(weight, width),
                    EPSILON), ROWS, all), tolerance);
            compare("rmsNorm in place", inPlace(gradient, (gradients, place, on) -> gradients.rmsNorm(
                    place, place, on.tensor(x, ROWS, all), on.tensor(weight, width), EPSILON), ROWS, all), tolerance);
        }
    }

    /**
     * Tolerance of element i of (w g - mean(w g) - y mean(w g y)) / deviation, with the normalised row y: the means are
     * at most the largest w g, because the mean of y^2 is 1; y has the error of the forward pass.
     */
    private static double norm(float[] x, float[] gradient, float[] weight, int i, boolean centred) {
        int width = weight.length;
        int first = i / width * width;
        double largest = 0;
        double weighted = 0;
        double mean = 0;
        for (int j = 0; j < width; j++) {
            largest = Math.max(largest, Math.abs(x[first + j]));
            weighted = Math.max(weighted, Math.abs(gradient[first + j] * weight[j]));
            mean += centred ? x[first + j] / (double) width : 0;
        }
        double square = 0;
        for (int j = 0; j < width; j++) {
            square += Math.pow(x[first + j] - mean, 2) / width;
        }
        double deviation = Math.sqrt(square + EPSILON);
        double normal = Math.abs(x[i] - mean) / deviation;
        double magnified = centred ? 1 + 2 * largest / deviation : 2;
        return Tolerance.sum(width, weighted * (2 + normal) * magnified / deviation);
    }

    /** Derivatives are below 1.13; they are sums of two terms, of which the second is below 2. */
    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void activations(int size, Inputs inputs) {
        float[] x = inputs.withEnds("x", size);
        float[] gateUp = Inputs.sideBySide(
                ROWS, inputs.withEnds("gates", ROWS * size), Inputs.OUTLIERS.withEnds("up", ROWS * size));
        float[] ofRows = inputs.values(Seed.random("gate's gradient", size), ROWS, size);
        float[] gradient = inputs.values(Seed.random("activation's gradient", size), 1, size);
        for (Activation f : Activation.values()) {
            compare(f + " of " + size, inPlace(gradient, (gradients, place, on) ->
                    gradients.activate(place, on.tensor(x, size), f), size),
                    i -> Tolerance.formula(4 * Math.abs(gradient[i])));
            compare("gate by " + f, into((gradients, destination, on) -> gradients.gate(
                    destination, on.tensor(ofRows, ROWS, size), on.tensor(gateUp, ROWS, 2L * size), f), ROWS, 2L * size), i -> {
                boolean isGate = i % (2 * size) < size;
                double received = Math.abs(ofRows[i / (2 * size) * size + i % size]);
                return Tolerance.formula(isGate
                        ? 4 * received * (Math.abs(gateUp[i + size]) + 1)
                        : 2 * received * Math.abs(gateUp[i - size]));
            });
        }
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void softCap(int size, Inputs inputs) {
        float[] gradient = inputs.values(Seed.random("softCap's gradient", size), 1, size);
        for (float cap : new float[] {0.5f, 30, 50}) {
            float[] capped = inputs.withEnds("capped", size);
            for (int i = 0; i < size; i++) {
                capped[i] = (float) (cap * Math.tanh(capped[i] / cap));
            }
            compare("softCap " + cap, inPlace(gradient, (gradients, place, on) ->
                    gradients.softCap(place, on.tensor(capped, size), cap), size),
                    i -> Tolerance.formula(Math.abs(gradient[i])));
        }
    }

    /** Shares of one, some and all experts. */
    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void route(int experts, Inputs inputs) {
        Random random = Seed.random("route's gradient", experts);
        float[] gradient = inputs.values(random, ROWS, experts);
        float[] logits = Inputs.NORMAL.values(random, ROWS, experts);
        for (int chosen : new int[] {1, (experts + 3) / 4, experts}) {
            float[] shares = expected(on -> {
                Tensor place = on.tensor(logits, ROWS, experts);
                on.backend.route(place, chosen);
                return on.backend.download(place);
            });
            compare("route to %d of %d".formatted(chosen, experts), inPlace(gradient, (gradients, place, on) ->
                    gradients.route(place, on.tensor(shares, ROWS, experts)), ROWS, experts),
                    i -> shares[i] == 0 ? 0 : Tolerance.sum(chosen, 2 * shares[i] * Magnitude.largest(gradient)));
        }
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void addShare(int width, Inputs inputs) {
        Random random = Seed.random("addShare's gradient", width);
        float[] gradient = inputs.values(random, 4, width);
        float[] y = inputs.values(random, 4, width);
        float[] shares = {0.5f, 0.5f, 0, 1, 0.3f, 0.7f, 1, 0};
        double[] magnitude = new double[4];
        for (int i = 0; i < y.length; i++) {
            magnitude[i / width] += Math.abs(gradient[i] * y[i]);
        }
        for (int column = 0; column < 2; column++) {
            int expert = column;
            IntToDoubleFunction ofY = i -> Tolerance.formula(Math.abs(shares[i / width * 2 + expert] * gradient[i]));
            compare("addShare", into((gradients, destination, on) -> gradients.addShare(
                    destination, on.unwritten(4, 2), on.tensor(gradient, 4, width), on.tensor(y, 4, width),
                    on.tensor(shares, 4, 2), expert), 4, width), ofY);
            compare("addShare in place", inPlace(y, (gradients, place, on) -> gradients.addShare(
                    place, on.unwritten(4, 2), on.tensor(gradient, 4, width), place, on.tensor(shares, 4, 2),
                    expert), 4, width), ofY);
            // Columns of other experts are unchanged.
            compare("addShare's share", inPlace(shares, (gradients, place, on) -> gradients.addShare(
                    on.unwritten(4, width), place, on.tensor(gradient, 4, width), on.tensor(y, 4, width),
                    on.tensor(shares, 4, 2), expert), 4, 2),
                    i -> i % 2 == expert ? Tolerance.sum(width, magnitude[i / 2]) : 0);
        }
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void embed(int width, Inputs inputs) {
        float[] gradient = inputs.values(Seed.random("embed's gradient", width), 3, width);
        Operation operation = into((gradients, destination, on) ->
                gradients.embed(destination, on.tensor(gradient, 3, width), new int[] {4, 0, 2}), 6, width);
        compareBits("embed", operation);
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void scaleHeads(int headDim, Inputs inputs) {
        Random random = Seed.random("scaleHeads' gradient", headDim);
        int heads = 3;
        int tokens = 17;
        long width = (long) heads * headDim;
        float[] gradient = inputs.values(random, tokens, (int) width);
        float[] x = inputs.values(random, tokens, (int) width);
        // rows 5 to 7 lie in no range, and one range has no rows
        RowRanges ranges = new RowRanges(new int[] {0, 8, 9}, new int[] {5, 8, tokens});
        double[] magnitude = new double[ranges.count() * heads];
        for (int i = 0; i < x.length; i++) {
            int range = ranges.find(i / (int) width);
            if (range >= 0) {
                magnitude[range * heads + i / headDim % heads] += Math.abs(gradient[i] * x[i]);
            }
        }
        compare("scaleHeads", into((gradients, destination, on) -> gradients.scaleHeads(
                destination, on.tensor(gradient, tokens, width), on.tensor(x, tokens, width), ranges),
                ranges.count(), heads), i -> Tolerance.sum(tokens * headDim, magnitude[i]));
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void crossEntropy(int words, Inputs inputs) {
        float[] logits = inputs.values(Seed.random("crossEntropy", words), ROWS, words);
        int[] targets = {0, words - 1, words / 2, 0, words / 3};
        float[] factors = {1, 0.25f, -1, 0, 3};
        float[] shares = expected(inPlace(logits, (gradients, place, on) ->
                gradients.crossEntropy(place, targets, new float[] {1, 1, 1, 1, 1}), ROWS, words));
        double moved = Tolerance.softmax(0, words, 2 * Magnitude.largest(logits));
        compare("crossEntropy of " + words, inPlace(logits, (gradients, place, on) ->
                gradients.crossEntropy(place, targets, factors), ROWS, words),
                i -> Math.abs(factors[i / words])
                        * (moved * Math.abs(i % words == targets[i / words] ? 1 + shares[i] : shares[i])
                                + Tolerance.formula(1)));
        compare("nats", on -> on.backend.gradients().crossEntropy(
                on.tensor(logits, ROWS, words), targets, factors),
                i -> moved + Tolerance.formula(4 * Magnitude.largest(logits) + Math.log(words)));
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void adamW(int size, Inputs inputs) {
        Random random = Seed.random("adamW", size);
        Gradients.AdamW settings = new Gradients.AdamW(0.1f, 0.9f, 0.999f, 1e-8f, 0.01f);
        float[] parameter = Inputs.NORMAL.values(random, 1, size);
        float[] gradient = inputs.values(random, 1, size);
        float[] m = inputs.values(random, 1, size);
        float[] v = Magnitude.of(inputs.values(random, 1, size));
        for (int step : new int[] {1, 2, 100}) {
            double correction = 1 / (1 - Math.pow(settings.beta1(), step));
            double correction2 = 1 / (1 - Math.pow(settings.beta2(), step));
            IntToDoubleFunction ofSquare = i -> Tolerance.formula(v[i] + Math.pow(gradient[i], 2));
            compare("adamW", inPlace(parameter, (gradients, place, on) -> gradients.adamW(
                    place, on.tensor(gradient, size), on.tensor(m, size), on.tensor(v, size), settings, step), size),
                    i -> {
                        double square = 0.99 * v[i] + 0.0009 * Math.pow(gradient[i], 2);
                        double change = correction * (Math.abs(m[i]) + Math.abs(gradient[i]))
                                / (Math.sqrt(correction2 * square) + settings.epsilon());
                        return Tolerance.formula(Math.abs(parameter[i]) + settings.rate() * change);
                    });
            compare("adamW's mean", inPlace(m, (gradients, place, on) -> gradients.adamW(
                    on.tensor(parameter, size), on.tensor(gradient, size), place, on.tensor(v, size), settings, step),
                    size), i -> Tolerance.formula(Math.abs(m[i]) + Math.abs(gradient[i])));
            compare("adamW's square", inPlace(v, (gradients, place, on) -> gradients.adamW(
                    on.tensor(parameter, size), on.tensor(gradient, size), on.tensor(m, size), place, settings, step),
                    size), ofSquare);
        }
    }

    /** The first step has the size of the rate, regardless of the gradient's magnitude, plus the decay. */
    @ParameterizedTest
    @ValueSource(floats = {1e-3f, 1, 1e4f})
    void firstStepOfAdamW(float size) {
        Gradients.AdamW settings = new Gradients.AdamW(0.5f, 0.9f, 0.999f, 1e-12f, 0.5f);
        for (String device : Devices.ALL) {
            float[] moved = Parity.actual(device, inPlace(new float[] {4, 4, 4}, (gradients, place, on) -> gradients.adamW(
                    place, on.tensor(new float[] {size, -size, 0}, 3), on.tensor(new float[3], 3),
                    on.tensor(new float[3], 3), settings, 1), 3));
            agree(device, new float[] {2.5f, 3.5f, 3}, moved, i -> Tolerance.formula(4));
        }
    }

    /** Equal logits: the loss is log(words) nats, and all probabilities are 1 / words. */
    @ParameterizedTest
    @ValueSource(ints = {1, 4, 1000, 50_000})
    void crossEntropyOfEqualLogits(int words) {
        float[] expected = new float[words];
        Arrays.fill(expected, 2f / words);
        expected[words / 2] = 2f / words - 2;
        for (String device : Devices.ALL) {
            try (Backend backend = Devices.open(device); TensorScope on = new TensorScope(backend)) {
                Tensor logits = on.tensor(new float[words], 1, words);
                float[] nats = backend.gradients().crossEntropy(logits, new int[] {words / 2}, new float[] {2});
                agree(device + " nats", new float[] {(float) Math.log(words)}, nats,
                        i -> Tolerance.formula(Math.log(words) + 1));
                agree(device + " gradient", expected, on.backend.download(logits), i -> Tolerance.formula(2));
            }
        }
    }

    /** The division of products does not depend on the number of workers. */
    @ParameterizedTest
    @ValueSource(ints = {65, 700})
    void bitsDoNotDependOnWorkers(int size) {
        Random random = Seed.random("bits", size);
        float[] gradient = Inputs.NORMAL.values(random, 130, size);
        float[] x = Inputs.NORMAL.values(random, 130, 90);
        float[] weight = Inputs.NORMAL.values(random, size, 90);
        for (Operation operation : Arrays.asList(
                input(gradient, weight, 130, 90, size), weight(gradient, x, 130, 90, size),
                bias(gradient, 130, size), into((gradients, destination, on) -> gradients.scaleHeads(
                        destination, on.tensor(gradient, 130, size), on.tensor(gradient, 130, size),
                        new RowRanges(new int[] {0, 50}, new int[] {49, 130})), 2, 5))) {
            float[] expected = ofWorkers(1, operation);
            for (int workers = 1; workers <= 3; workers++) {
                same(workers + " workers", expected, ofWorkers(workers, operation));
            }
        }
    }

    private static float[] ofWorkers(int workers, Operation operation) {
        try (Backend backend = new CheckedBackend(new CpuBackend(workers));
                TensorScope operands = new TensorScope(backend)) {
            return operation.apply(operands);
        }
    }
}
