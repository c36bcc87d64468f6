package headscope.result;

import headscope.tensor.Printable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** The measures of every head, {@code heads.csv}: a row per head, a column per measure. */
public final class HeadTable {
    public static final String FILE = "heads.csv";

    private static final List<String> KEYS = List.of("layer", "head");

    private final int layers;
    private final int heads;
    private final SequencedMap<String, double[]> columns = new LinkedHashMap<>();

    /**
     * @param columns in the order of the file, each row-major [layers, heads]; NaN where a head has no value
     */
    public HeadTable(int layers, int heads, SequencedMap<String, double[]> columns) {
        if (layers < 1 || heads < 1) {
            throw new IllegalArgumentException("%d layers x %d heads".formatted(layers, heads));
        }
        this.layers = layers;
        this.heads = heads;
        columns.forEach((name, values) -> {
            if (name.isEmpty() || KEYS.contains(name)) {
                throw new IllegalArgumentException("a column cannot be named " + Printable.quote(name));
            }
            if (values.length != Math.multiplyExact(layers, heads)) {
                throw new IllegalArgumentException("column %s: %d values for %d layers x %d heads"
                        .formatted(name, values.length, layers, heads));
            }
            this.columns.put(name, values.clone());
        });
    }

    public int layers() {
        return layers;
    }

    public int heads() {
        return heads;
    }

    /** The names of the columns, in the order of the file. */
    public List<String> names() {
        return List.copyOf(columns.keySet());
    }

    /**
     * A copy of a column, row-major [layers, heads].
     *
     * @throws IllegalArgumentException if there is no such column; the message lists the columns
     */
    public double[] column(String name) {
        double[] values = columns.get(name);
        if (values == null) {
            throw new IllegalArgumentException(CsvFile.noColumn(name, columns.keySet()));
        }
        return values.clone();
    }

    /**
     * A column of a table that was read from a file.
     *
     * @throws ResultFormatException if the file has no such column
     */
    double[] column(Path file, String name) {
        return CsvFile.column(file, columns, name).clone();
    }

    /**
     * Writes the table; every double is read back exactly.
     *
     * @throws RunFolderException if the file cannot be written
     */
    public void write(Path file) {
        List<String> header = new ArrayList<>(KEYS);
        header.addAll(columns.keySet());
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < layers * heads; i++) {
            List<String> row = new ArrayList<>(List.of(String.valueOf(i / heads), String.valueOf(i % heads)));
            for (double[] values : columns.values()) {
                row.add(CsvFile.text(values[i]));
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
    public static HeadTable read(Path file) {
        List<CsvFile.Row> rows = CsvFile.read(file);
        List<String> header = rows.removeFirst().cells();
        if (header.size() < KEYS.size() || !header.subList(0, KEYS.size()).equals(KEYS)) {
            throw new ResultFormatException(file, 1, "the first columns must be layer,head");
        }
        List<String> names = header.subList(KEYS.size(), header.size());
        for (String name : names) {
            if (name.isEmpty() || KEYS.contains(name) || Collections.frequency(names, name) > 1) {
                throw new ResultFormatException(file, 1, "a column without a name or with the name of another: "
                        + Printable.quote(name));
            }
        }
        int heads = checkHeads(file, rows);
        SequencedMap<String, double[]> columns = new LinkedHashMap<>();
        for (int c = 0; c < names.size(); c++) {
            double[] values = new double[rows.size()];
            for (int i = 0; i < values.length; i++) {
                values[i] = CsvFile.number(file, rows.get(i), KEYS.size() + c, names.get(c));
            }
            columns.put(names.get(c), values);
        }
        return new HeadTable(rows.size() / heads, heads, columns);
    }

    /** Checks that rows are ordered by layer and head and that all layers have as many heads as the first. */
    private static int checkHeads(Path file, List<CsvFile.Row> rows) {
        int heads = 0;
        while (heads < rows.size() && CsvFile.wholeNumber(file, rows.get(heads), 0, "layer") == 0) {
            heads++;
        }
        if (heads == 0) {
            throw new ResultFormatException(file, 2, "no row for layer 0");
        }
        for (int i = 0; i < rows.size(); i++) {
            int layer = CsvFile.wholeNumber(file, rows.get(i), 0, "layer");
            int head = CsvFile.wholeNumber(file, rows.get(i), 1, "head");
            if (layer != i / heads || head != i % heads) {
                throw new ResultFormatException(file, rows.get(i).line(),
                        "layer %d, head %d where layer %d, head %d is expected"
                        .formatted(layer, head, i / heads, i % heads));
            }
        }
        if (rows.size() % heads != 0) {
            throw new ResultFormatException(file, rows.getLast().line(),
                    "%d rows, not a multiple of layer 0's %d heads"
                    .formatted(rows.size(), heads));
        }
        return heads;
    }
}
