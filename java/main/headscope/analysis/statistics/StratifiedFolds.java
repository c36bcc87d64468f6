package headscope.analysis.statistics;

import java.util.Random;

/** Which fold each sample is tested in: classes spread evenly over folds, and folds of even size. */
final class StratifiedFolds {
    private StratifiedFolds() {}

    /**
     * Fold of each sample, 0..folds-1. In each fold a class has its share of samples, rounded down or up, and
     * so has the fold in all. Equal seeds give equal folds.
     */
    static int[] assign(boolean[] labels, int folds, long seed) {
        int[] shuffled = new int[labels.length];
        Random random = new Random(seed);
        for (int i = 0; i < shuffled.length; i++) {
            int j = random.nextInt(i + 1);
            shuffled[i] = shuffled[j];
            shuffled[j] = i;
        }
        int[] foldOf = new int[labels.length];
        int dealt = 0;
        for (boolean label : new boolean[] {true, false}) {
            for (int sample : shuffled) {
                if (labels[sample] == label) {
                    foldOf[sample] = dealt++ % folds;
                }
            }
        }
        return foldOf;
    }
}
