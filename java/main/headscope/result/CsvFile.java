package headscope.result;

import headscope.tensor.InputFile;
import headscope.tensor.Printable;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVPrinter;
import org.apache.commons.csv.CSVRecord;

/** Comma-separated values with the quoting of RFC 4180, in UTF-8, with line feeds between lines. */
final class CsvFile {
    private static final Pattern NUMBER = Pattern.compile("-?(\\d+(\\.\\d+)?([eE][+-]?\\d+)?|Infinity)|nan");
    private static final CSVFormat FORMAT = CSVFormat.RFC4180.builder().setRecordSeparator('\n').get();

    /** @param line number of its first line, from 1 */
    record Row(long line, List<String> cells) {}

    private CsvFile() {}

    static void write(Path file, List<String> header, Iterable<? extends Iterable<?>> rows) {
        try (BufferedWriter writer = Files.newBufferedWriter(file);
                CSVPrinter printer = FORMAT.print(writer)) {
            printer.printRecord(header);
            for (Iterable<?> row : rows) {
                printer.printRecord(row);
            }
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(file + ": a text with an unpaired surrogate", e);
        } catch (IOException failure) {
            throw new RunFolderException(file, failure);
        }
    }

    /** Reads all rows, the header first; every row has as many cells as the header. */
    static List<Row> read(Path file) {
        List<Row> rows = new ArrayList<>();
        requireRegular(file);
        try (CSVParser parser = CSVParser.builder().setPath(file).setFormat(FORMAT).get()) {
            Iterator<CSVRecord> records = parser.iterator();
            for (long line = 1; hasNext(file, records, line); line = parser.getCurrentLineNumber() + 1) {
                Row row = new Row(line, records.next().toList());
                if (!rows.isEmpty() && row.cells().size() != rows.getFirst().cells().size()) {
                    throw new ResultFormatException(file, line, "%d cells, but %d columns"
                            .formatted(row.cells().size(), rows.getFirst().cells().size()));
                }
                rows.add(row);
            }
        } catch (IOException failure) {
            throw new RunFolderException(file, failure);
        }
        if (rows.isEmpty()) {
            throw new ResultFormatException(file, "is empty");
        }
        return rows;
    }

    private static void requireRegular(Path file) {
        try {
            InputFile.requireRegular(file);
        } catch (IOException failure) {
            throw new ResultFormatException(file, InputFile.fault(failure));
        }
    }

    private static boolean hasNext(Path file, Iterator<CSVRecord> records, long line) throws IOException {
        try {
            return records.hasNext();
        } catch (UncheckedIOException failure) {
            IOException cause = failure.getCause();
            if (cause instanceof CharacterCodingException) {
                throw new ResultFormatException(file, line, "is not UTF-8");
            }
            if (cause instanceof CSVException) {
                throw new ResultFormatException(file, line,
                        "is not comma-separated values: quotes must be doubled, and end at a comma");
            }
            throw cause;
        }
    }

    static int wholeNumber(Path file, Row row, int column, String name) {
        String text = row.cells().get(column);
        try {
            if (text.matches("\\d+")) {
                return Integer.parseInt(text);
            }
        } catch (NumberFormatException tooLarge) {
            // reported below
        }
        throw new ResultFormatException(file, row.line(), "column %s: %s is not a whole number"
                .formatted(name, Printable.quote(text)));
    }

    /** A number so that it is read back exactly, or nan. */
    static String text(double value) {
        return Double.isNaN(value) ? "nan" : Double.toString(value);
    }

    /** Parses a number written by {@link Double#toString}, or nan. */
    static double number(Path file, Row row, int column, String name) {
        String text = row.cells().get(column);
        if (!NUMBER.matcher(text).matches()) {
            throw new ResultFormatException(file, row.line(), "column %s: %s is not a number"
                    .formatted(name, Printable.quote(text)));
        }
        return text.equals("nan") ? Double.NaN : Double.parseDouble(text);
    }

    /** @throws ResultFormatException if there is no such column */
    static double[] column(Path file, Map<String, double[]> columns, String name) {
        double[] values = columns.get(name);
        if (values == null) {
            throw new ResultFormatException(file, 1, noColumn(name, columns.keySet()));
        }
        return values;
    }

    static String noColumn(String name, Set<String> columns) {
        return "no column %s; the columns are %s".formatted(Printable.quote(name), columns);
    }
}
