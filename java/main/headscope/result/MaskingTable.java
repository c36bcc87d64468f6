package headscope.result;

import java.nio.file.Path;
import java.util.List;

/** What becomes of a model's answers where heads are held back, {@code masking.csv}: a row per function. */
public record MaskingTable(List<Row> rows) {
    private static final List<String> COLUMNS = List.of(
            "function", "heads", "texts", "before", "top", "random", "lowest", "other_texts", "others_before",
            "others_top");

    /**
     * The share of right answers.
     *
     * @param function     whose heads are held back
     * @param heads        how many
     * @param texts        that ask for it
     * @param before       with all heads
     * @param top          without its most important heads
     * @param random       without as many others, mean over draws
     * @param lowest       without its least important heads
     * @param otherTexts   that ask for other functions
     * @param othersBefore of these, with all heads
     * @param othersTop    of these, without the function's most important heads
     */
    public record Row(
            String function, int heads, int texts, double before, double top, double random, double lowest,
            int otherTexts, double othersBefore, double othersTop) {}

    public MaskingTable {
        rows = List.copyOf(rows);
    }

    /** @throws RunFolderException when the file cannot be written */
    public void write(Path file) {
        CsvFile.write(file, COLUMNS, rows.stream()
                .map(row -> List.of(row.function, row.heads, row.texts, row.before, row.top, row.random, row.lowest,
                        row.otherTexts, row.othersBefore, row.othersTop))
                .toList());
    }
}
