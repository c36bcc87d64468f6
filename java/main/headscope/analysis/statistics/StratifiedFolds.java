package headscope.analysis.statistics;

import java.util.Random;

/** Stratified cross-validation: classes are spread evenly over folds, and folds have even sizes. */
final class StratifiedFolds {
    private StratifiedFolds() {}

    /**
     * The fold in which each sample is tested, from 0. Each fold has its share of the samples of a class and of all
     * samples, rounded down or up. Equal seeds give equal folds.
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
