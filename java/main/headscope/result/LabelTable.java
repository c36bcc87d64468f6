package headscope.result;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A CSV file of labels for stored texts: a column {@code index} or {@code id} and a column {@code label}; others are
 * ignored, so that an edited {@code samples.csv} is such a file.
 *
 * @param byIndex whether names are indices; if a file has both columns, they are
 */
public record LabelTable(boolean byIndex, List<Row> rows) {
    /**
     * @param line from 1
     * @param name the text's index or id
     */
    public record Row(long line, String name, String label) {}

    /** @throws ResultFormatException if the file is missing or not such a table */
    public static LabelTable read(Path file) {
        List<CsvFile.Row> rows = CsvFile.read(file);
        List<String> header = new ArrayList<>(rows.getFirst().cells());
        header.set(0, header.getFirst().replaceFirst("^\uFEFF", "")); // byte order mark of a spreadsheet program
        boolean byIndex = header.contains("index");
        int name = header.indexOf(byIndex ? "index" : "id");
        int label = header.indexOf("label");
        if (name < 0 || label < 0) {
            throw new ResultFormatException(file, 1, "the columns must include label and index, or label and id");
        }
        return new LabelTable(byIndex, rows.stream()
                .skip(1)
                .map(row -> new Row(row.line(), row.cells().get(name), row.cells().get(label)))
                .toList());
    }
}
