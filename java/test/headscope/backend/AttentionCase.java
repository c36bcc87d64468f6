package headscope.backend;

import headscope.Seed;
import headscope.Tolerance;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Parameters of attention and the queries, keys and values of one text.
 *
 * @param operands type to which queries, keys and values are rounded
 */
record AttentionCase(
        int tokens, int heads, int kvHeads, int headDim, boolean causal, int window, float softCap, boolean sinks,
        Inputs inputs, DType operands) {
    private static final int[] TOKENS = {1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 257, 511, 513, 1000};
    /** Above this number of tokens, tests are slow: there are fewer heads and variants. */
    private static final int LONG = 256;
    private static final int[] FEW_TOKENS = {1, 2, 3, 17, 33, 65};
    private static final int[] HEAD_DIMS = {1, 4, 8, 16, 64, 80, 128};
    /** Additional error of a score's fast exp2, and of its soft cap, in kernels for tensor cores. */
    private static final double FAST_EXP2 = 0x1p-22;
    private static final int TENSOR_CORE_TILE = 128;
    /** Numbers of query heads and key heads. */
    private static final int[][] GROUPS = {{1, 1}, {2, 1}, {4, 2}, {3, 3}, {8, 2}, {6, 3}};

    AttentionCase(
            int tokens, int heads, int kvHeads, int headDim, boolean causal, int window, float softCap, boolean sinks,
            Inputs inputs) {
        this(tokens, heads, kvHeads, headDim, causal, window, softCap, sinks, inputs, DType.F32);
    }

    /** The same case in another type. */
    AttentionCase of(DType operands) {
        return new AttentionCase(
                tokens, heads, kvHeads, headDim, causal, window, softCap, sinks, inputs, operands);
    }

    /** All variants at all lengths; head widths, numbers of heads and kinds of input alternate. */
    static Stream<AttentionCase> all() {
        List<AttentionCase> cases = new ArrayList<>();
        for (int tokens : TOKENS) {
            cases.addAll(ofLength(tokens, cases.size()));
        }
        return cases.stream();
    }

    /** Few lengths, for slow tests. */
    static Stream<AttentionCase> few() {
        List<AttentionCase> cases = new ArrayList<>();
        for (int tokens : FEW_TOKENS) {
            cases.addAll(ofLength(tokens, cases.size()));
        }
        return cases.stream();
    }

    /** Those that kernels for Hopper compute, and longer ones. */
    static Stream<AttentionCase> fewForHopper() {
        List<AttentionCase> cases = new ArrayList<>(few().filter(one -> one.tokens > 1 && one.headDim >= 64).toList());
        for (int tokens : new int[] {129, 257}) {
            cases.addAll(all().filter(one -> one.tokens == tokens && one.headDim >= 64).limit(3).toList());
        }
        return cases.stream();
    }

    static Stream<AttentionCase> fewCausal() {
        return few().filter(AttentionCase::causal);
    }

    /** Numbers of rows of calls that add one row each. */
    static int[] ones(int count) {
        int[] ones = new int[count];
        Arrays.fill(ones, 1);
        return ones;
    }

    private static List<AttentionCase> ofLength(int tokens, int turn) {
        List<AttentionCase> cases = new ArrayList<>();
        int[][] variants = {
            // causal, window, soft cap, sinks
            {1, 0, 0, 0}, {0, 0, 0, 0}, {1, 1, 0, 0}, {1, 5, 0, 1}, {1, tokens - 1, 0, 0}, {1, tokens, 50, 0},
            {1, tokens + 1, 0, 0}, {1, 0, 2, 0}, {1, 0, 0, 1}, {0, 0, 30, 1}, {1, 7, 3, 1}
        };
        int count = tokens > LONG ? 5 : variants.length;
        for (int i = 0; i < count; i++) {
            int next = turn + i;
            int[] variant = variants[tokens > LONG ? next % variants.length : i];
            int[] group = GROUPS[tokens > LONG ? next % 2 : next % GROUPS.length];
            cases.add(new AttentionCase(tokens, group[0], group[1], HEAD_DIMS[next % HEAD_DIMS.length],
                    variant[0] == 1, variant[1], variant[2], variant[3] == 1,
                    Inputs.values()[next / 3 % Inputs.values().length]));
        }
        return cases;
    }

    /** Largest distance in intermediate results: kernels for 16 bits measure it from the end of a tile. */
    int reach() {
        return operands == DType.F32 ? tokens : Math.max(tokens, TENSOR_CORE_TILE);
    }

    private float[] draw(String name, int width) {
        Random random = Seed.random(name, toString());
        return ReferenceConversion.rounded(operands, inputs.values(random, tokens, width * headDim));
    }

    /** [tokens, heads * headDim]. */
    float[] queries() {
        return draw("q", heads);
    }

    float[] keys() {
        return draw("k", kvHeads);
    }

    float[] values() {
        return draw("v", kvHeads);
    }

    /** Gradient with respect to the output, shaped like the queries. */
    float[] outputGradients() {
        return draw("g", heads);
    }

    /** [heads] */
    float[] sinkScores() {
        return Inputs.NORMAL.values(Seed.random("sinks", toString()), 1, heads);
    }

    /** {@link #queries()} on a backend, fp32 [tokens, heads * headDim]. */
    Tensor queries(TensorScope on) {
        return on.tensor(queries(), tokens, (long) heads * headDim);
    }

    /** {@link #keys()} in the type of the backend's operands, [tokens, kvHeads * headDim]. */
    Tensor keys(TensorScope on) {
        return on.operand(on.tensor(keys(), tokens, (long) kvHeads * headDim));
    }

    /** As {@link #keys(TensorScope)}. */
    Tensor values(TensorScope on) {
        return on.operand(on.tensor(values(), tokens, (long) kvHeads * headDim));
    }

    AttentionSpec spec(TensorScope on) {
        Optional<Tensor> scores = sinks ? Optional.of(on.tensor(sinkScores(), heads)) : Optional.empty();
        return new AttentionSpec(
                heads, kvHeads, headDim, (float) (1 / Math.sqrt(headDim)), causal, window, softCap, scores);
    }

    /** {@link Tolerance#softmax} of each row of each head, [heads * tokens]. */
    double[] tolerance() {
        float[] q = queries();
        float[] k = keys();
        double largestKey = 0;
        for (float value : k) {
            largestKey = Math.max(largestKey, Math.abs(value));
        }
        double[] tolerance = new double[heads * tokens];
        for (int head = 0; head < heads; head++) {
            for (int token = 0; token < tokens; token++) {
                double sum = 0;
                for (int d = 0; d < headDim; d++) {
                    sum += Math.abs(q[(token * heads + head) * headDim + d]);
                }
                // A sink's score is a standard normal value, below 6.
                double magnitude = sum * largestKey / Math.sqrt(headDim) + (sinks ? 6 : 0);
                tolerance[head * tokens + token] = Tolerance.softmax(headDim, tokens, magnitude)
                        + (operands == DType.F32 ? 0 : (4 + softCap) * FAST_EXP2);
            }
        }
        return tolerance;
    }
}
