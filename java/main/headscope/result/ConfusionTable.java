package headscope.result;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The confusion matrix of a classifier, {@code confusion.csv}: a row per true class, a column per predicted class.
 *
 * @param counts [true class][predicted class]
 */
public record ConfusionTable(List<String> classes, int[][] counts) {
    static final String FILE = "confusion.csv";
    /** Header of the column of true classes. */
    private static final String CLASS = "function";

    public ConfusionTable {
        classes = List.copyOf(classes);
        counts = Arrays.stream(counts).map(int[]::clone).toArray(int[][]::new);
    }

    /** A copy. */
    @Override
    public int[][] counts() {
        return Arrays.stream(counts).map(int[]::clone).toArray(int[][]::new);
    }

    /** @throws RunFolderException if the file cannot be written */
    public void write(Path file) {
        List<String> header = new ArrayList<>(List.of(CLASS));
        header.addAll(classes);
        List<List<Object>> rows = new ArrayList<>();
        for (int i = 0; i < counts.length; i++) {
            List<Object> row = new ArrayList<>(List.of(classes.get(i)));
            Arrays.stream(counts[i]).forEach(row::add);
            rows.add(row);
        }
        CsvFile.write(file, header, rows);
    }

    /**
     * Reads a table that {@link #write} wrote.
     *
     * @throws ResultFormatException if the file is missing or not such a table
     */
    public static ConfusionTable read(Path file) {
        List<CsvFile.Row> rows = CsvFile.read(file);
        List<String> header = rows.removeFirst().cells();
        if (!header.getFirst().equals(CLASS)) {
            throw new ResultFormatException(file, 1, "the first column must be " + CLASS);
        }
        List<String> classes = header.subList(1, header.size());
        if (!rows.stream().map(row -> row.cells().getFirst()).toList().equals(classes)) {
            throw new ResultFormatException(
                    file, "the classes of the rows must be those of the columns: " + String.join(",", classes));
        }
        int[][] counts = new int[rows.size()][classes.size()];
        for (int i = 0; i < counts.length; i++) {
            for (int j = 0; j < classes.size(); j++) {
                counts[i][j] = CsvFile.wholeNumber(file, rows.get(i), 1 + j, classes.get(j));
            }
        }
        return new ConfusionTable(classes, counts);
    }
}
