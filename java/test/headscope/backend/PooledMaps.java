package headscope.backend;

import static headscope.backend.Agreement.agree;

import headscope.Tolerance;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Pooled attention maps of one case on one backend.
 *
 * @param maximum [heads, cells, cells], as mean
 */
record PooledMaps(AttentionCase of, float[] maximum, float[] mean) {
    static PooledMaps pool(Backend backend, AttentionCase one, int cells) {
        try (TensorScope on = new TensorScope(backend)) {
            Tensor maximum = on.unwritten(one.heads(), cells, cells);
            Tensor mean = on.unwritten(one.heads(), cells, cells);
            backend.attentionCells(maximum, mean, one.queries(on), one.keys(on), one.spec(on));
            return new PooledMaps(one, backend.download(maximum), backend.download(mean));
        }
    }

    static PooledMaps reference(AttentionCase one, int cells) {
        return pool(new Reference(), one, cells);
    }

    /** Compares maps of the same case with this reference: the relative error is at most that of a head's worst row. */
    void compare(String what, PooledMaps actual) {
        int perHead = mean.length / of.heads();
        double[] softmax = of.tolerance();
        double[] worst = IntStream.range(0, of.heads())
                .mapToDouble(head -> Arrays.stream(softmax, head * of.tokens(), (head + 1) * of.tokens())
                        .max().orElseThrow())
                .toArray();
        agree(what + ": maximum of cells", maximum, actual.maximum,
                i -> worst[i / perHead] * maximum[i] + Tolerance.formula(0));
        agree(what + ": mean of cells", mean, actual.mean,
                i -> worst[i / perHead] * mean[i] + Tolerance.sum(2 * of.tokens(), mean[i]));
    }
}
