package headscope.backend;

import static headscope.backend.Parity.compare;
import static headscope.backend.Parity.expected;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import headscope.Seed;
import headscope.Tolerance;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Queries, keys and values from joined projections, with every norm and rotation, whole or into pages, and the gradient. */
class SplitHeadsParityTest {
    private static final int ROWS = 19;

    private enum Norms {
        NONE,
        EACH_HEAD,
        ALL_HEADS
    }

    /** @param half number of pairs that are rotated */
    private record Shape(int heads, int kvHeads, int headDim, int half, Norms norms) {
        int queryWidth() {
            return heads * headDim;
        }

        int keyWidth() {
            return kvHeads * headDim;
        }

        int width() {
            return queryWidth() + 2 * keyWidth();
        }

        /** Elements that are normalised together. */
        int normWidth(int width) {
            return norms == Norms.ALL_HEADS ? width : headDim;
        }

        /** Factor of an element's magnitude in a rotation by {@link #angles}. */
        double turning() {
            return half == 0 ? 1 : 3;
        }

        HeadTransform on(TensorScope on) {
            Random random = Seed.random("transform", this);
            float[] query = Inputs.NORMAL.values(random, 1, normWidth(queryWidth()));
            float[] key = Inputs.NORMAL.values(random, 1, normWidth(keyWidth()));
            float[] cosine = new float[ROWS * half];
            float[] sine = new float[ROWS * half];
            for (int i = 0; i < cosine.length; i++) {
                double angle = 100 * random.nextGaussian();
                cosine[i] = (float) (1.5 * Math.cos(angle));
                sine[i] = (float) (1.5 * Math.sin(angle));
            }
            return new HeadTransform(headDim,
                    norms == Norms.NONE ? Optional.empty() : Optional.of(new HeadTransform.Norm(
                            on.tensor(query, query.length), on.tensor(key, key.length), 1e-6f)),
                    half == 0 ? Optional.empty() : Optional.of(new HeadTransform.Rotation(
                            on.tensor(cosine, ROWS, half), on.tensor(sine, ROWS, half))));
        }
    }

    static Stream<Shape> shapes() {
        return Stream.of(1, 2, 15, 16, 33, 64, 80, 128).flatMap(headDim -> Stream.of(Norms.values()).flatMap(norms ->
                IntStream.of(0, headDim / 4, headDim / 2).distinct().boxed().flatMap(half -> Stream.of(
                        new Shape(3, 1, headDim, half, norms), new Shape(5, 5, headDim, half, norms)))));
    }

    /** Rows without pages, or two texts that end in pages of a pool that do not follow one another. */
    private static Packing packing(boolean paged) {
        return paged
                ? Packing.paged(List.of(new Packing.Text(ROWS - 1, ROWS + 20, 0), new Packing.Text(1, 1, 1)),
                        List.of(new int[] {4, 2, 5}, new int[] {0}))
                : Packing.whole(ROWS);
    }

    private static Projections run(TensorScope on, Shape shape, float[] joined, boolean paged, DType type) {
        long keys = paged ? 6 * PageTable.TOKENS : ROWS;
        Projections to = new Projections(on.allocate(type, ROWS, shape.queryWidth()),
                on.allocate(type, keys, shape.keyWidth()), on.allocate(type, keys, shape.keyWidth()));
        on.backend.splitHeads(to, on.tensor(joined, ROWS, shape.width()), shape.on(on), packing(paged));
        return to;
    }

    private static float[] downloaded(TensorScope on, Projections parts) {
        return Inputs.sideBySide(1, on.backend.download(parts.q()), on.backend.download(parts.k()), on.backend.download(parts.v()));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void split(Shape shape) {
        float[] joined = Inputs.OUTLIERS.values(Seed.random("splitHeads", shape), ROWS, shape.width());
        for (boolean paged : new boolean[] {false, true}) {
            Parity.Operation operation = on -> downloaded(on, run(on, shape, joined, paged, DType.F32));
            double tolerance = Tolerance.sum(shape.queryWidth(), shape.turning() * Magnitude.largest(expected(operation)));
            boolean copied = shape.norms() == Norms.NONE && shape.half() == 0;
            compare("splitHeads " + shape + (paged ? " in pages" : ""), operation, i -> copied ? 0 : tolerance);
        }
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void roundsOnce(Shape shape) {
        float[] joined = Inputs.NORMAL.values(Seed.random("rounded", shape), ROWS, shape.width());
        for (DType type : new DType[] {DType.BF16, DType.F16}) {
            try (Backend backend = Devices.emulated(type); TensorScope on = new TensorScope(backend)) {
                float[] wide = downloaded(on, run(on, shape, joined, true, DType.F32));
                Projections narrow = run(on, shape, joined, true, type);
                Projections widened = new Projections(widened(on, narrow.q()), widened(on, narrow.k()), widened(on, narrow.v()));
                assertArrayEquals(ReferenceConversion.rounded(type, wide), downloaded(on, widened), shape + Seed.reproduce());
            }
        }
    }

    private static Tensor widened(TensorScope on, Tensor x) {
        Tensor wide = on.unwritten(x.shape());
        on.backend.convert(wide, x);
        return wide;
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void gradient(Shape shape) {
        Random random = Seed.random("splitHeads' gradient", shape);
        float[] joined = Inputs.NORMAL.values(random, ROWS, shape.width());
        float[] q = Inputs.OUTLIERS.values(random, ROWS, shape.queryWidth());
        float[] k = Inputs.OUTLIERS.values(random, ROWS, shape.keyWidth());
        float[] v = Inputs.OUTLIERS.values(random, ROWS, shape.keyWidth());
        Parity.Operation operation = on -> {
            Tensor gradient = on.unwritten(ROWS, shape.width());
            on.backend.gradients().splitHeads(gradient, new Projections(
                    on.tensor(q, ROWS, shape.queryWidth()), on.tensor(k, ROWS, shape.keyWidth()),
                    on.tensor(v, ROWS, shape.keyWidth())), on.tensor(joined, ROWS, shape.width()), shape.on(on));
            return on.backend.download(gradient);
        };
        // The means are at most the largest term, and what is left of a term's group has at most its deviation below 1.
        double largest = Math.max(Magnitude.largest(q), Magnitude.largest(k)) * shape.turning();
        double[] deviations = shape.norms() == Norms.NONE ? new double[0] : deviations(shape, joined);
        boolean copied = shape.norms() == Norms.NONE && shape.half() == 0;
        compare("splitHeads' gradient " + shape, operation, i -> {
            if (copied || i % shape.width() >= shape.queryWidth() + shape.keyWidth()) {
                return 0;
            }
            double deviation = deviations.length == 0 ? 1 : deviations[i];
            double normal = deviations.length == 0 ? 0 : Math.abs(joined[i]) / deviation;
            return Tolerance.sum(shape.queryWidth(), largest * 4 * (2 + normal) * 2 / deviation);
        });
    }

    /** Of each element's group. */
    private static double[] deviations(Shape shape, float[] joined) {
        double[] deviations = new double[joined.length];
        for (int i = 0; i < joined.length; i++) {
            int column = i % shape.width();
            int first = column < shape.queryWidth() ? 0 : column < shape.queryWidth() + shape.keyWidth() ? shape.queryWidth() : -1;
            if (first >= 0) {
                int group = shape.normWidth(first == 0 ? shape.queryWidth() : shape.keyWidth());
                int start = i - column + first + (column - first) / group * group;
                double square = 0;
                for (int j = start; j < start + group; j++) {
                    square += Math.pow(joined[j], 2) / group;
                }
                deviations[i] = Math.sqrt(square + 1e-6);
            }
        }
        return deviations;
    }
}
