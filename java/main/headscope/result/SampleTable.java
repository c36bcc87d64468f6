package headscope.result;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/** What a run read, {@code samples.csv}: a row per text. */
public record SampleTable(List<Sample> samples) {
    static final String FILE = "samples.csv";

    private static final List<String> COLUMNS = List.of("index", "tokens", "label", "answer", "expected");

    /**
     * One text.
     *
     * @param index    its place in the data, from 0
     * @param tokens   its length in tokens
     * @param label    its class; empty without
     * @param answer   what the model said; empty without
     * @param expected what it should have said; empty without
     */
    public record Sample(int index, int tokens, String label, String answer, String expected) {
        public Sample {
            if (index < 0 || tokens < 0) {
                throw new IllegalArgumentException("sample %d of %d tokens".formatted(index, tokens));
            }
        }
    }

    public SampleTable {
        samples = List.copyOf(samples);
    }

    /** @throws RunFolderException when the file cannot be written */
    public void write(Path file) {
        CsvFile.write(file, COLUMNS, samples.stream()
                .map(s -> List.of(s.index(), s.tokens(), s.label(), s.answer(), s.expected())).toList());
    }

    /**
     * Reads a table that {@link #write} wrote.
     *
     * @throws ResultFormatException when it is missing or not such a table
     */
    public static SampleTable read(Path file) {
        List<CsvFile.Row> rows = CsvFile.read(file);
        if (!rows.getFirst().cells().equals(COLUMNS)) {
            throw new ResultFormatException(file, 1, "the columns must be " + String.join(",", COLUMNS));
        }
        return new SampleTable(IntStream.range(1, rows.size()).mapToObj(i -> sample(file, rows.get(i)))
                .toList());
    }

    private static Sample sample(Path file, CsvFile.Row row) {
        List<String> cells = row.cells();
        return new Sample(CsvFile.wholeNumber(file, row, 0, "index"),
                CsvFile.wholeNumber(file, row, 1, "tokens"),
                cells.get(2), cells.get(3), cells.get(4));
    }
}
