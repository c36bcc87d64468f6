package headscope.analysis.functions;

import headscope.analysis.statistics.Elbow;

import java.util.Comparator;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * The importance of each head for a function: the mean over the function's test texts of (1/M) sum_m p_m dy/dp_m, with p
 * the head's projection of M elements and y the function's logit. Signed; heads are ranked by the absolute value.
 *
 * @param values [layers, heads]
 */
record HeadImportance(double[] values) {
    /** @param texts indices of the function's texts in the features; at least one */
    static HeadImportance of(
            FunctionProbe probe, HeadFeatures features, int projection, int[] texts, int function) {
        return new HeadImportance(DoubleStream.of(probe.contribution(features, texts, function))
                .map(sum -> sum / ((double) projection * texts.length))
                .toArray());
    }

    /** Heads by decreasing absolute importance; equal ones by index. */
    int[] ranked() {
        return IntStream.range(0, values.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer head) -> -Math.abs(values[head])))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** Number of heads before the {@link Elbow} of the sorted absolute importance. */
    int beforeElbow() {
        return Elbow.before(IntStream.of(ranked()).mapToDouble(head -> Math.abs(values[head])).toArray());
    }

    /** Number of heads whose absolute importance exceeds a threshold. */
    int above(double threshold) {
        return (int) DoubleStream.of(values).filter(value -> Math.abs(value) > threshold).count();
    }
}
