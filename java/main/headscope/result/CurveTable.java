package headscope.result;

import headscope.tensor.Printable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * Curves over integers: a row per integer, a column per curve.
 *
 * @param x      name of the first column
 * @param at     the integers
 * @param curves in the order of the file, each as long as {@code at}
 */
public record CurveTable(String x, int[] at, SequencedMap<String, double[]> curves) {
    public CurveTable {
        curves.forEach((name, values) -> {
            if (name.isEmpty() || name.equals(x) || values.length != at.length) {
                throw new IllegalArgumentException("column %s: %d values over %d numbers"
                        .formatted(Printable.quote(name), values.length, at.length));
            }
        });
    }

    /**
     * A curve of a table that was read from a file.
     *
     * @throws ResultFormatException if the file has no such curve
     */
    double[] curve(Path file, String name) {
        return CsvFile.column(file, curves, name).clone();
    }

    /**
     * Writes the table; every double is read back exactly.
     *
     * @throws RunFolderException if the file cannot be written
     */
    public void write(Path file) {
        List<String> header = new ArrayList<>(List.of(x));
        header.addAll(curves.keySet());
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < at.length; i++) {
            List<String> row = new ArrayList<>(List.of(Integer.toString(at[i])));
            for (double[] values : curves.values()) {
                row.add(Double.toString(values[i]));
            }
            rows.add(row);
        }
        CsvFile.write(file, header, rows);
    }

    /**
     * Reads a table that {@link #write} wrote.
     *
     * @throws ResultFormatException if the file is missing or not such a table
     */
    public static CurveTable read(Path file) {
        List<CsvFile.Row> rows = CsvFile.read(file);
        List<String> header = rows.removeFirst().cells();
        String x = header.getFirst();
        int[] at = new int[rows.size()];
        SequencedMap<String, double[]> curves = new LinkedHashMap<>();
        header.subList(1, header.size()).forEach(name -> curves.put(name, new double[rows.size()]));
        if (curves.size() != header.size() - 1) {
            throw new ResultFormatException(file, 1, "two columns have the same name");
        }
        for (int i = 0; i < at.length; i++) {
            at[i] = CsvFile.wholeNumber(file, rows.get(i), 0, x);
            int column = 1;
            for (double[] values : curves.values()) {
                values[i] = CsvFile.number(file, rows.get(i), column, header.get(column));
                column++;
            }
        }
        return new CurveTable(x, at, curves);
    }
}
