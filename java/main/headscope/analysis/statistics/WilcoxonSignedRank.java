package headscope.analysis.statistics;

import java.util.Arrays;
import org.apache.commons.statistics.inference.AlternativeHypothesis;
import org.apache.commons.statistics.inference.ContinuityCorrection;
import org.apache.commons.statistics.inference.PValueMethod;
import org.apache.commons.statistics.inference.WilcoxonSignedRankTest;

/**
 * Two-sided Wilcoxon signed-rank test of paired samples, with the choices of {@code scipy.stats.wilcoxon}: differences
 * of 0 are dropped; the exact null distribution for at most 50 differences whose magnitudes are all different, none of
 * them 0, otherwise the normal approximation with tie correction and without continuity correction.
 */
public final class WilcoxonSignedRank {
    private static final int EXACT_LIMIT = 50;

    private static final WilcoxonSignedRankTest APPROXIMATE = WilcoxonSignedRankTest.withDefaults()
            .with(AlternativeHypothesis.TWO_SIDED)
            .with(PValueMethod.ASYMPTOTIC)
            .with(ContinuityCorrection.DISABLED);

    private WilcoxonSignedRank() {}

    /**
     * The p-value, in [0, 1]; 1 if all differences are 0, NaN without differences.
     *
     * @param differences one per pair, finite; NaN (a pair without a value) is ignored
     */
    public static double p(double[] differences) {
        double[] pairs = Arrays.stream(differences).filter(difference -> !Double.isNaN(difference)).toArray();
        double[] changed = Arrays.stream(pairs).filter(difference -> difference != 0).toArray();
        if (changed.length == 0) {
            return pairs.length == 0 ? Double.NaN : 1;
        }
        WilcoxonSignedRankTest.Result approximate = APPROXIMATE.test(changed);
        boolean exact = pairs.length <= EXACT_LIMIT && changed.length == pairs.length && !approximate.hasTiedValues();
        return exact ? APPROXIMATE.with(PValueMethod.EXACT).test(changed).getPValue() : approximate.getPValue();
    }
}
