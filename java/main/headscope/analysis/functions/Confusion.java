package headscope.analysis.functions;

import java.util.Arrays;

/**
 * The predictions of a classifier for texts of known class.
 *
 * @param counts [true class][predicted class]
 */
record Confusion(int[][] counts) {
    /** @param logits [texts, classes]; the first of equal logits is predicted */
    static Confusion of(int[] classes, float[] logits, int count) {
        int[][] counts = new int[count][count];
        for (int text = 0; text < classes.length; text++) {
            int predicted = 0;
            for (int other = 1; other < count; other++) {
                predicted = logits[text * count + other] > logits[text * count + predicted] ? other : predicted;
            }
            counts[classes[text]][predicted]++;
        }
        return new Confusion(counts);
    }

    /** Share of texts whose class is predicted. */
    double accuracy() {
        int right = 0;
        for (int i = 0; i < counts.length; i++) {
            right += counts[i][i];
        }
        return (double) right / Arrays.stream(counts).mapToInt(row -> Arrays.stream(row).sum()).sum();
    }

    /** The same for the texts of one class. */
    double accuracy(int of) {
        return (double) counts[of][of] / Arrays.stream(counts[of]).sum();
    }
}
