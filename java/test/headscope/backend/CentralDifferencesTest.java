package headscope.backend;

import static headscope.backend.Agreement.agree;

import headscope.Seed;
import headscope.Tolerance;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Gradients of {@link Reference} against central differences; parity tests compare other backends with it. */
class CentralDifferencesTest {
    private static final float STEP = 1 / 64f;

    private final Backend backend = new Reference();
    private final Gradients gradients = backend.gradients();
    private final TensorScope on = new TensorScope(backend);
    private final Random random = Seed.random("central differences");

    /** An operation of several inputs with one output. */
    private interface Operation {
        float[] of(List<Tensor> inputs);
    }

    private Tensor normal(int rows, int width) {
        return on.tensor(Inputs.NORMAL.values(random, rows, width), rows, width);
    }

    /** Values of absolute value 0.5 to 2.5: differences do not cross a kink at 0. */
    private Tensor awayFromZero(int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (0.5f + 2 * random.nextFloat()) * (random.nextBoolean() ? 1 : -1);
        }
        return on.tensor(values, size);
    }

    private Tensor copy(Tensor x) {
        return on.tensor(backend.download(x), x.shape());
    }

    private Tensor like(Tensor x) {
        return on.unwritten(x.shape());
    }

    /** @param passedBack gradients of the inputs for the gradient of the output */
    private void agrees(List<Tensor> inputs, Operation operation, Tensor gradient, Tensor... passedBack) {
        float[] g = backend.download(gradient);
        for (int n = 0; n < passedBack.length; n++) {
            float[] actual = backend.download(passedBack[n]);
            float[] differences = new float[actual.length];
            float[] values = backend.download(inputs.get(n));
            for (int i = 0; i < differences.length; i++) {
                differences[i] = (float) ((changed(inputs, n, values, i, STEP, operation, g)
                        - changed(inputs, n, values, i, -STEP, operation, g)) / (2 * STEP));
            }
            agree("input " + n, differences, actual,
                    i -> Tolerance.CENTRAL_DIFFERENCE * Math.max(1, Math.abs(differences[i])));
        }
    }

    /** The scalar gradient . output, with step added to element i of input n. */
    private double changed(
            List<Tensor> inputs, int n, float[] values, int i, float step, Operation operation, float[] gradient) {
        float[] moved = values.clone();
        moved[i] += step;
        List<Tensor> copies = new ArrayList<>();
        for (int other = 0; other < inputs.size(); other++) {
            copies.add(other == n ? on.tensor(moved, inputs.get(n).shape()) : copy(inputs.get(other)));
        }
        float[] output = operation.of(copies);
        double sum = 0;
        for (int j = 0; j < output.length; j++) {
            sum += (double) gradient[j] * output[j];
        }
        return sum;
    }

    private float[] inPlace(Tensor x, Runnable operation) {
        operation.run();
        return backend.download(x);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void linear(int tokens) {
        Tensor x = normal(tokens, 4);
        Tensor weight = normal(2, 4);
        Tensor bias = on.tensor(new float[] {0.5f, -1}, 2);
        Tensor gradient = normal(tokens, 2);
        Tensor ofX = like(x);
        Tensor ofWeight = like(weight);
        Tensor ofBias = like(bias);
        gradients.linear(ofX, gradient, weight);
        gradients.linearWeight(ofWeight, gradient, x);
        gradients.linearBias(ofBias, gradient);
        agrees(List.of(x, weight, bias), inputs -> {
            Tensor out = on.unwritten(tokens, 2);
            backend.linear(out, inputs.get(0), inputs.get(1), Optional.of(inputs.get(2)));
            return backend.download(out);
        }, gradient, ofX, ofWeight, ofBias);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    void norms(int width) {
        float epsilon = 0.5f;
        Tensor x = normal(2, width);
        Tensor gradient = normal(2, width);
        Tensor weight = on.tensor(Inputs.NORMAL.values(random, 1, width), width);
        Tensor ofLayer = like(x);
        Tensor ofRms = like(x);
        gradients.layerNorm(ofLayer, gradient, x, weight, epsilon);
        gradients.rmsNorm(ofRms, gradient, x, weight, epsilon);
        agrees(List.of(x), inputs -> inPlace(inputs.get(0), () -> backend.layerNorm(
                inputs.get(0), inputs.get(0), weight, weight, epsilon)), gradient, ofLayer);
        agrees(List.of(x), inputs -> inPlace(inputs.get(0), () -> backend.rmsNorm(
                inputs.get(0), inputs.get(0), weight, epsilon)), gradient, ofRms);
    }

    @ParameterizedTest
    @EnumSource
    void activations(Activation f) {
        Tensor x = awayFromZero(9);
        Tensor gradient = awayFromZero(9);
        Tensor ofX = copy(gradient);
        gradients.activate(ofX, x, f);
        agrees(List.of(x), inputs -> inPlace(inputs.get(0), () -> backend.activate(inputs.get(0), inputs.get(0), f)), gradient, ofX);
        Tensor gateUp = awayFromZero(18).as(3, 6);
        Tensor product = gradient.as(3, 3);
        Tensor ofGateUp = like(gateUp);
        gradients.gate(ofGateUp, product, gateUp, f);
        agrees(List.of(gateUp), inputs -> {
            Tensor out = like(product);
            backend.gate(out, inputs.get(0), f);
            return backend.download(out);
        }, product, ofGateUp);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 6})
    void elements(int size) {
        Tensor x = awayFromZero(size);
        Tensor gradient = awayFromZero(size);
        Tensor capped = copy(x);
        Tensor ofX = copy(gradient);
        backend.softCap(capped, 2);
        gradients.softCap(ofX, capped, 2);
        agrees(List.of(x), inputs -> inPlace(inputs.get(0), () -> backend.softCap(inputs.get(0), 2)), gradient, ofX);

        Tensor turned = normal(size, 6);
        Tensor before = normal(size, 6);
        RowRanges halves = new RowRanges(new int[] {0, size / 2}, new int[] {size / 2, size});
        Tensor factors = awayFromZero(4).as(2, 2);
        Tensor ofFactors = like(factors);
        gradients.scaleHeads(ofFactors, before, turned, halves);
        agrees(List.of(factors), inputs -> {
            Tensor scaled = copy(turned);
            return inPlace(scaled, () -> backend.scaleHeads(scaled, inputs.get(0), halves));
        }, before, ofFactors);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void mixtures(int experts) {
        Tensor logits = normal(3, experts);
        Tensor gradient = normal(3, experts);
        Tensor shares = copy(logits);
        backend.route(shares, experts);
        Tensor ofLogits = copy(gradient);
        gradients.route(ofLogits, shares);
        agrees(List.of(logits), inputs -> inPlace(inputs.get(0), () -> backend.route(inputs.get(0), experts)),
                gradient, ofLogits);

        Tensor y = normal(3, 5);
        Tensor ofOutput = normal(3, 5);
        Tensor ofY = like(y);
        Tensor ofShares = on.tensor(new float[3 * experts], 3, experts);
        gradients.addShare(ofY, ofShares, ofOutput, y, shares, experts - 1);
        agrees(List.of(y, shares), inputs -> {
            Tensor x = on.tensor(new float[15], 3, 5);
            return inPlace(x, () -> backend.addShare(x, inputs.get(0), inputs.get(1), experts - 1));
        }, ofOutput, ofY, ofShares);
    }

    /** Heads of 3 elements, normalised apart and together, rotated. */
    @ParameterizedTest
    @ValueSource(ints = {3, 6})
    void splitHeads(int normed) {
        Tensor joined = normal(2, 12);
        Tensor gradient = normal(2, 12);
        HeadTransform transform = new HeadTransform(3,
                Optional.of(new HeadTransform.Norm(normal(1, normed).as(normed), normal(1, 3).as(3), 0.5f)),
                Optional.of(new HeadTransform.Rotation(normal(2, 1), normal(2, 1))));
        Projections ofParts = new Projections(like(normal(2, 6)), like(normal(2, 3)), like(normal(2, 3)));
        backend.splitHeads(ofParts, gradient, HeadTransform.none(3), Packing.whole(2));
        Tensor ofJoined = like(joined);
        gradients.splitHeads(ofJoined, ofParts, joined, transform);
        agrees(List.of(joined), inputs -> {
            Projections parts = new Projections(like(normal(2, 6)), like(normal(2, 3)), like(normal(2, 3)));
            backend.splitHeads(parts, inputs.get(0), transform, Packing.whole(2));
            return Inputs.sideBySide(
                    2, backend.download(parts.q()), backend.download(parts.k()), backend.download(parts.v()));
        }, gradient, ofJoined);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7})
    void crossEntropy(int words) {
        int[] targets = {words - 1, 0};
        float[] factors = {0.5f, -2};
        Tensor logits = normal(2, words);
        Tensor ofLogits = copy(logits);
        gradients.crossEntropy(ofLogits, targets, factors);
        agrees(List.of(logits), inputs -> gradients.crossEntropy(inputs.get(0), targets, factors),
                on.tensor(factors, 2), ofLogits);
    }

    /** Plain attention, window, soft cap, sinks, bidirectional, grouped heads. */
    static Stream<AttentionSpec> attention() {
        Tensor sinks = new TensorScope(new Reference()).tensor(new float[] {0.5f, -1}, 2);
        return Stream.of(
                AttentionSpec.plain(2, 2, 3, true), AttentionSpec.plain(2, 1, 3, false),
                new AttentionSpec(2, 1, 3, 0.7f, true, 2, 0, Optional.empty()),
                new AttentionSpec(2, 1, 3, 0.7f, true, 0, 1.5f, Optional.of(sinks)),
                new AttentionSpec(2, 2, 3, 0.7f, false, 0, 1.5f, Optional.of(sinks)));
    }

    @ParameterizedTest
    @MethodSource
    void attention(AttentionSpec spec) {
        int keys = 5;
        int queries = spec.causal() ? 4 : keys;
        Tensor q = normal(queries, spec.heads() * spec.headDim());
        Tensor k = normal(keys, spec.kvHeads() * spec.headDim());
        Tensor v = normal(keys, spec.kvHeads() * spec.headDim());
        Tensor gradient = normal(queries, spec.heads() * spec.headDim());
        Tensor out = like(q);
        Tensor logSumExp = on.unwritten(spec.heads(), queries);
        backend.attention(out, logSumExp, q, k, v, Packing.of(q.intSize(0), k.intSize(0)), spec);
        Tensor ofQ = like(q);
        Tensor ofK = like(k);
        Tensor ofV = like(v);
        gradients.attention(ofQ, ofK, ofV, gradient, out, logSumExp, q, k, v,
                Packing.of(q.intSize(0), k.intSize(0)), spec, List.of(Optional.empty()));
        agrees(Arrays.asList(q, k, v), inputs -> {
            Tensor moved = like(q);
            backend.attention(moved, like(logSumExp), inputs.get(0), inputs.get(1), inputs.get(2),
                    Packing.of(inputs.get(0).intSize(0), inputs.get(1).intSize(0)), spec);
            return backend.download(moved);
        }, gradient, ofQ, ofK, ofV);
    }
}
