package headscope.result;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;

/** The texts of a run, {@code samples.csv}: a row per text. */
public record SampleTable(List<Sample> samples) {
    static final String FILE = "samples.csv";

    private static final List<String> COLUMNS = List.of("index", "tokens", "label", "answer", "expected");

    /**
     * One text.
     *
     * @param index    index of the text in its file, from 0
     * @param tokens   number of tokens
     * @param label    its class; may be empty
     * @param answer   the model's answer; may be empty
     * @param expected the expected answer; may be empty
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

    /** @throws RunFolderException if the file cannot be written */
    public void write(Path file) {
        CsvFile.write(file, COLUMNS, samples.stream()
                .map(s -> List.of(s.index(), s.tokens(), s.label(), s.answer(), s.expected())).toList());
    }

    /**
     * Reads a table that {@link #write} wrote.
     *
     * @throws ResultFormatException if the file is missing or not such a table
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
