package headscope.result;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The texts of a run, {@code samples.csv}: a row per text. */
public record SampleTable(List<Sample> samples) {
    static final String FILE = "samples.csv";

    private static final List<String> COLUMNS = List.of("index", "tokens", "label", "answer", "expected");
    private static final String ID = "id";

    /**
     * One text.
     *
     * @param index    index of the text in its file, from 0
     * @param tokens   number of tokens
     * @param label    its class; may be empty
     * @param answer   the model's answer; may be empty
     * @param expected the expected answer; may be empty
     * @param id       the name that the file gives it; may be empty
     */
    public record Sample(int index, int tokens, String label, String answer, String expected, String id) {
        public Sample(int index, int tokens, String label, String answer, String expected) {
            this(index, tokens, label, answer, expected, "");
        }

        public Sample withLabel(String other) {
            return new Sample(index, tokens, other, answer, expected, id);
        }

        public Sample {
            if (index < 0 || tokens < 0) {
                throw new IllegalArgumentException("sample %d of %d tokens".formatted(index, tokens));
            }
        }
    }

    public SampleTable {
        samples = List.copyOf(samples);
    }

    /**
     * Writes the table, with a column of names if there are any.
     *
     * @throws RunFolderException if the file cannot be written
     */
    public void write(Path file) {
        boolean named = samples.stream().anyMatch(s -> !s.id().isEmpty());
        CsvFile.write(file, columns(named), samples.stream()
                .map(s -> {
                    List<Object> row = List.of(s.index(), s.tokens(), s.label(), s.answer(), s.expected(), s.id());
                    return row.subList(0, columns(named).size());
                })
                .toList());
    }

    private static List<String> columns(boolean named) {
        return named ? Stream.concat(COLUMNS.stream(), Stream.of(ID)).toList() : COLUMNS;
    }

    /**
     * Reads a table that {@link #write} wrote.
     *
     * @throws ResultFormatException if the file is missing or not such a table
     */
    public static SampleTable read(Path file) {
        List<CsvFile.Row> rows = CsvFile.read(file);
        List<String> columns = rows.getFirst().cells();
        if (!columns.equals(columns(false)) && !columns.equals(columns(true))) {
            throw new ResultFormatException(file, 1, "the columns must be " + String.join(",", COLUMNS));
        }
        return new SampleTable(IntStream.range(1, rows.size()).mapToObj(i -> sample(file, rows.get(i)))
                .toList());
    }

    private static Sample sample(Path file, CsvFile.Row row) {
        List<String> cells = row.cells();
        return new Sample(CsvFile.wholeNumber(file, row, 0, "index"),
                CsvFile.wholeNumber(file, row, 1, "tokens"),
                cells.get(2), cells.get(3), cells.get(4), cells.size() > COLUMNS.size() ? cells.getLast() : "");
    }
}
