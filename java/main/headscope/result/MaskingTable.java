package headscope.result;

import java.nio.file.Path;
import java.util.List;

/** The share of right answers while heads are ablated, {@code masking.csv}: a row per function. */
public record MaskingTable(List<Row> rows) {
    static final String FILE = "masking.csv";

    private static final List<String> COLUMNS = List.of(
            "function", "heads", "texts", "before", "top", "random", "lowest", "other_texts", "others_before",
            "others_top");

    /**
     * One function; every share is that of right answers.
     *
     * @param function     the function whose heads are ablated
     * @param heads        number of ablated heads
     * @param texts        number of texts that need the function
     * @param before       share without ablation
     * @param top          share when its most important heads are ablated
     * @param random       share when the same number of random other heads is ablated, mean over draws
     * @param lowest       share when its least important heads are ablated
     * @param otherTexts   number of texts that need other functions
     * @param othersBefore their share without ablation
     * @param othersTop    their share when the function's most important heads are ablated
     */
    public record Row(
            String function, int heads, int texts, double before, double top, double random, double lowest,
            int otherTexts, double othersBefore, double othersTop) {}

    public MaskingTable {
        rows = List.copyOf(rows);
    }

    /** @throws RunFolderException if the file cannot be written */
    public void write(Path file) {
        CsvFile.write(file, COLUMNS, rows.stream()
                .map(row -> List.of(row.function, row.heads, row.texts, row.before, row.top, row.random, row.lowest,
                        row.otherTexts, row.othersBefore, row.othersTop))
                .toList());
    }

    /**
     * Reads a table that {@link #write} wrote.
     *
     * @throws ResultFormatException if the file is missing or not such a table
     */
    public static MaskingTable read(Path file) {
        List<CsvFile.Row> rows = CsvFile.read(file);
        if (!rows.removeFirst().cells().equals(COLUMNS)) {
            throw new ResultFormatException(file, 1, "the columns must be " + String.join(",", COLUMNS));
        }
        return new MaskingTable(rows.stream()
                .map(row -> new Row(row.cells().getFirst(), count(file, row, 1), count(file, row, 2), share(file, row, 3),
                        share(file, row, 4), share(file, row, 5), share(file, row, 6), count(file, row, 7),
                        share(file, row, 8), share(file, row, 9)))
                .toList());
    }

    private static int count(Path file, CsvFile.Row row, int column) {
        return CsvFile.wholeNumber(file, row, column, COLUMNS.get(column));
    }

    private static double share(Path file, CsvFile.Row row, int column) {
        return CsvFile.number(file, row, column, COLUMNS.get(column));
    }
}
