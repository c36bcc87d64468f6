package headscope.analysis.statistics;

import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * A supervised probe: principal components of the training folds, then logistic regression with balanced classes,
 * evaluated by the AUROC on the held-out fold. The settings are those of Binkowski et al. (2025): at most 512
 * components, centred and not scaled, C = 1.
 *
 * <p>Cost: 5,000 texts x 1,440 features take some fifteen seconds on two cores. Up to 1024 texts or 1024 features the
 * components are exact; beyond that they are randomised. The texts of a fold are copied to fp64, of all folds at once
 * if they fit into the heap; if not even one fold does, the result is absent.
 */
public final class Probe {
    /** Maximum number of folds. */
    public static final int FOLDS = 5;

    /** Maximum number of principal components. */
    public static final int COMPONENTS = 512;

    private Probe() {}

    /**
     * Cross-validates with five folds, or fewer if a class has fewer samples, but at least two.
     *
     * @param features [samples][features]
     * @param labels   the class of each sample
     * @param seed     for the folds and for randomised components; equal seeds give equal results
     * @param fitted   called after each fold, from any thread
     */
    public static ProbeResult crossValidate(float[][] features, boolean[] labels, long seed, Runnable fitted) {
        return crossValidate(features, labels, seed, COMPONENTS, fitted);
    }

    static ProbeResult crossValidate(
            float[][] features, boolean[] labels, long seed, int components, Runnable fitted) {
        checkShape(features, labels);
        int positives = count(labels, true);
        int folds = folds(labels);
        if (folds < 2) {
            return new ProbeResult.Absent("a probe needs two texts of each class; there are %d and %d"
                    .formatted(positives, labels.length - positives));
        }
        if (features[0].length == 0) {
            return new ProbeResult.Absent("a probe needs a feature");
        }
        Size size = new Size(labels.length, features[0].length);
        if (!size.fits(1)) {
            return new ProbeResult.Absent(size.tooLarge());
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
        IntStream each = IntStream.range(0, folds);
        List<Fold> measured = (size.fits(folds) ? each.parallel() : each)
                .mapToObj(fold -> {
                    Fold one = fold(samples, labels, foldOf, fold, components, seed);
                    fitted.run();
                    return one;
                })
                .toList();
        int training = labels.length - labels.length / folds;
        return new ProbeResult.Measured(
                measured.stream().map(Fold::auroc).toList(),
                measured.stream().mapToInt(Fold::components).max().orElseThrow(),
                Pca.reduction(training, samples[0].length, components));
    }

    /** Number of folds for these labels; no probe is fitted if it is below two. */
    public static int folds(boolean[] labels) {
        int positives = count(labels, true);
        return Math.min(FOLDS, Math.min(positives, labels.length - positives));
    }

    private record Fold(double auroc, int components) {}

    /** Fits on the other folds; evaluates on this one. */
    private static Fold fold(
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
        return new Fold(MannWhitney.auroc(rounded(positives), rounded(negatives)), regression.weights().length);
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

    private record Size(long samples, long features) {
        /** Whether this many folds fit into the heap at a time. */
        boolean fits(int folds) {
            return samples * features <= Integer.MAX_VALUE - 8 && bytes(folds) <= heap();
        }

        /** fp32 as given; for each fold fp64 twice, products of features, and random directions. */
        private double bytes(int folds) {
            return 4.0 * samples * features + folds
                    * (16.0 * samples * features + 8.0 * Math.min(samples, features) * features
                            + 64.0 * COMPONENTS * (samples + features));
        }

        private static double heap() {
            return Runtime.getRuntime().maxMemory();
        }

        String tooLarge() {
            return ("%d texts x %d features are too large for a probe: they need about %.1f GiB of a heap of %.1f GiB "
                            + "and at most 2^31 values; use fewer eigenvalues per head")
                    .formatted(samples, features, bytes(1) / (1 << 30), heap() / (1 << 30));
        }
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
