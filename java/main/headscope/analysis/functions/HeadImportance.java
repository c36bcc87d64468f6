package headscope.analysis.functions;

import headscope.analysis.statistics.Elbow;

import java.util.Comparator;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * How much each head carries a function: the mean over test texts of the function of (1/M) sum over the M elements of
 * its projection p of p_m d y / d p_m, y the function's logit. Signed; what counts is the absolute value.
 *
 * @param values of each head of all layers
 */
record HeadImportance(double[] values) {
    /** @param texts of the function, by their places in the features; at least one */
    static HeadImportance of(
            FunctionProbe probe, HeadFeatures features, int projection, int[] texts, int function) {
        return new HeadImportance(DoubleStream.of(probe.contribution(features, texts, function))
                .map(sum -> sum / ((double) projection * texts.length))
                .toArray());
    }

    /** Heads by falling absolute importance; equal ones in their order. */
    int[] ranked() {
        return IntStream.range(0, values.length)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer head) -> -Math.abs(values[head])))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /** Heads before the {@link Elbow} of their absolute importance. */
    int beforeElbow() {
        return Elbow.before(IntStream.of(ranked()).mapToDouble(head -> Math.abs(values[head])).toArray());
    }

    /** Heads whose absolute importance is above. */
    int above(double threshold) {
        return (int) DoubleStream.of(values).filter(value -> Math.abs(value) > threshold).count();
    }
}
