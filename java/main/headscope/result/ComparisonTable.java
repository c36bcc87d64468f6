package headscope.result;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Two runs head by head: a row per measure and head. */
public record ComparisonTable(int heads, List<Measure> measures) {
    private static final List<String> COLUMNS =
            List.of("measure", "layer", "head", "value1", "value2", "difference", "p", "q");

    /**
     * One measure of all heads; every array is row-major [layers, heads], NaN where a head has no value.
     *
     * @param difference value2 - value1
     * @param p          of a paired test; NaN without a test
     * @param q          p adjusted for the number of heads
     */
    public record Measure(
            String name, double[] value1, double[] value2, double[] difference, double[] p, double[] q) {
        /** Whether a head's q is below 0.05. */
        public boolean isDiscovered(int head) {
            return q[head] < TestedHeads.LEVEL;
        }
    }

    /** @throws RunFolderException if the file cannot be written */
    public void write(Path file) {
        List<List<String>> rows = new ArrayList<>();
        for (Measure one : measures) {
            for (int i = 0; i < one.value1.length; i++) {
                rows.add(List.of(one.name, String.valueOf(i / heads), String.valueOf(i % heads), CsvFile.text(one.value1[i]),
                        CsvFile.text(one.value2[i]), CsvFile.text(one.difference[i]), CsvFile.text(one.p[i]),
                        CsvFile.text(one.q[i])));
            }
        }
        CsvFile.write(file, COLUMNS, rows);
    }
}
