package headscope.analysis.statistics;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * A supervised probe: principal components of the training folds, then logistic regression with balanced classes,
 * evaluated by the AUROC on the held-out fold. The settings are those of Binkowski et al. (2025): at most 512
 * components, centred and not scaled, C = 1.
 *
 * <p>Cost: 480 texts x 1440 features take half a second. Up to 1024 texts or 1024 features the components are
 * exact, a second per fold; beyond that they are randomised, in nine products of the texts with 544 directions per
 * fold: 10,000 texts x 10,240 features take some 20 minutes on one core. The texts of a fold are copied once to fp64;
 * if they do not fit into the heap, the result is absent.
 */
public final class Probe {
    private static final int FOLDS = 5;
    private static final int COMPONENTS = 512;

    private Probe() {}

    /**
     * Cross-validates with five folds, or fewer if a class has fewer samples, but at least two.
     *
     * @param features [samples][features]
     * @param labels   the class of each sample
     * @param seed     for the folds; equal seeds give equal results
     */
    public static ProbeResult crossValidate(float[][] features, boolean[] labels, long seed) {
        return crossValidate(features, labels, seed, COMPONENTS);
    }

    static ProbeResult crossValidate(float[][] features, boolean[] labels, long seed, int components) {
        checkShape(features, labels);
        int positives = count(labels, true);
        int folds = Math.min(FOLDS, Math.min(positives, labels.length - positives));
        if (folds < 2) {
            return new ProbeResult.Absent("a probe needs two texts of each class; there are %d and %d"
                    .formatted(positives, labels.length - positives));
        }
        if (features[0].length == 0) {
            return new ProbeResult.Absent("a probe needs a feature");
        }
        String tooLarge = tooLarge(labels.length, features[0].length);
        if (!tooLarge.isEmpty()) {
            return new ProbeResult.Absent(tooLarge);
        }
        for (int sample = 0; sample < features.length; sample++) {
            for (int i = 0; i < features[sample].length; i++) {
                if (!Float.isFinite(features[sample][i])) {
                    return new ProbeResult.Absent(
                            "feature %d of text %d is %s".formatted(i, sample, features[sample][i]));
                }
            }
        }
        boolean reducible = features[0].length > features.length && features.length <= Pca.EXACT_FEATURES;
        float[][] samples = reducible ? Samples.inSpannedCoordinates(features) : features;
        int[] foldOf = StratifiedFolds.assign(labels, folds, seed);
        List<Double> aurocs = new ArrayList<>();
        for (int fold = 0; fold < folds; fold++) {
            aurocs.add(auroc(samples, labels, foldOf, fold, components, seed));
        }
        return new ProbeResult.Measured(aurocs);
    }

    /** Fits on the other folds; evaluates on this one. */
    private static double auroc(
            float[][] samples, boolean[] labels, int[] foldOf, int fold, int components, long seed) {
        IntPredicate test = i -> foldOf[i] == fold;
        IntPredicate training = test.negate();
        IntPredicate positive = i -> labels[i];
        IntPredicate negative = positive.negate();
        Pca pca = Pca.fit(rows(samples, training), components, seed);
        LogisticRegression regression = LogisticRegression.fit(
                pca.scores(rows(samples, training.and(positive))),
                pca.scores(rows(samples, training.and(negative))));
        double[] positives = regression.logOdds(pca.scores(rows(samples, test.and(positive))));
        double[] negatives = regression.logOdds(pca.scores(rows(samples, test.and(negative))));
        return MannWhitney.auroc(rounded(positives), rounded(negatives));
    }

    private static void checkShape(float[][] features, boolean[] labels) {
        if (features.length != labels.length) {
            throw new IllegalArgumentException(
                    "%d samples of features, %d labels".formatted(features.length, labels.length));
        }
        for (int sample = 1; sample < features.length; sample++) {
            if (features[sample].length != features[0].length) {
                throw new IllegalArgumentException("sample %d has %d features, sample 0 has %d"
                        .formatted(sample, features[sample].length, features[0].length));
            }
        }
    }

    /** Why the features do not fit into memory; empty if they do. */
    private static String tooLarge(long samples, long features) {
        // fp32 as given, fp64 twice, random directions and the rows of the regression
        double bytes = 20.0 * samples * features + 64.0 * COMPONENTS * (samples + features);
        double heap = Runtime.getRuntime().maxMemory();
        if (samples * features <= Integer.MAX_VALUE - 8 && bytes <= heap) {
            return "";
        }
        return ("%d texts x %d features are too large for a probe: they need about %.1f GiB of a heap of %.1f GiB "
                        + "and at most 2^31 values; use fewer eigenvalues per head")
                .formatted(samples, features, bytes / (1 << 30), heap / (1 << 30));
    }

    private static int count(boolean[] labels, boolean wanted) {
        return (int) IntStream.range(0, labels.length).filter(i -> labels[i] == wanted).count();
    }

    private static float[][] rows(float[][] samples, IntPredicate chosen) {
        return IntStream.range(0, samples.length)
                .filter(chosen)
                .mapToObj(i -> samples[i])
                .toArray(float[][]::new);
    }

    /** Rounded to fp32, so that equal texts tie although their odds were rounded differently. */
    private static double[] rounded(double[] odds) {
        return DoubleStream.of(odds).map(v -> (float) v).toArray();
    }
}
