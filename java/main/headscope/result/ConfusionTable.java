package headscope.result;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a classifier said, {@code confusion.csv}: a row per true class, a column per class that was said.
 *
 * @param counts [true class][said class]
 */
public record ConfusionTable(List<String> classes, int[][] counts) {
    public ConfusionTable {
        classes = List.copyOf(classes);
        counts = Arrays.stream(counts).map(int[]::clone).toArray(int[][]::new);
    }

    /** A copy. */
    @Override
    public int[][] counts() {
        return Arrays.stream(counts).map(int[]::clone).toArray(int[][]::new);
    }

    /** @throws RunFolderException when the file cannot be written */
    public void write(Path file) {
        List<String> header = new ArrayList<>(List.of("function"));
        header.addAll(classes);
        List<List<Object>> rows = new ArrayList<>();
        for (int i = 0; i < counts.length; i++) {
            List<Object> row = new ArrayList<>(List.of(classes.get(i)));
            Arrays.stream(counts[i]).forEach(row::add);
            rows.add(row);
        }
        CsvFile.write(file, header, rows);
    }
}
