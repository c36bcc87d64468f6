package headscope.analysis.functions;

import java.util.Arrays;

/**
 * What a classifier said of texts whose class is known.
 *
 * @param counts [true class][said class]
 */
record Confusion(int[][] counts) {
    /** @param logits [texts * classes]; the first of equal ones is said */
    static Confusion of(int[] classes, float[] logits, int count) {
        int[][] counts = new int[count][count];
        for (int text = 0; text < classes.length; text++) {
            int said = 0;
            for (int other = 1; other < count; other++) {
                said = logits[text * count + other] > logits[text * count + said] ? other : said;
            }
            counts[classes[text]][said]++;
        }
        return new Confusion(counts);
    }

    /** Share of texts whose class was said. */
    double accuracy() {
        int right = 0;
        for (int i = 0; i < counts.length; i++) {
            right += counts[i][i];
        }
        return (double) right / Arrays.stream(counts).mapToInt(row -> Arrays.stream(row).sum()).sum();
    }

    /** Of the texts of one class. */
    double accuracy(int of) {
        return (double) counts[of][of] / Arrays.stream(counts[of]).sum();
    }
}
