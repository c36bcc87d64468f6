package headscope.result;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The texts of a run, {@code samples.csv}: a row per text. */
public record SampleTable(List<Sample> samples) {
    static final String FILE = "samples.csv";

    private static final List<String> COLUMNS = List.of("index", "tokens", "label", "answer", "expected");

    /** Columns that are there if any text has such a value. */
    private static final List<String> OPTIONAL = List.of("id", "prompt");

    /**
     * One text.
     *
     * @param index    index of the text in its file, from 0
     * @param tokens   number of tokens
     * @param label    its class; may be empty
     * @param answer   the model's answer; may be empty
     * @param expected the expected answer; may be empty
     * @param id       the name that the file gives it; may be empty
     * @param prompt   the prompt, or a text without answer; may be empty
     */
    public record Sample(
            int index, int tokens, String label, String answer, String expected, String id, String prompt) {
        public Sample(int index, int tokens, String label, String answer, String expected) {
            this(index, tokens, label, answer, expected, "", "");
        }

        public Sample withLabel(String other) {
            return new Sample(index, tokens, other, answer, expected, id, prompt);
        }

        private List<String> optional() {
            return List.of(id, prompt);
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
     * Writes the table; columns of ids and prompts are left out if all are empty.
     *
     * @throws RunFolderException if the file cannot be written
     */
    public void write(Path file) {
        List<Integer> present = IntStream.range(0, OPTIONAL.size())
                .filter(column -> samples.stream().anyMatch(sample -> !sample.optional().get(column).isEmpty()))
                .boxed()
                .toList();
        CsvFile.write(file, with(COLUMNS, present.stream().map(OPTIONAL::get)), samples.stream()
                .map(sample -> with(
                        List.<Object>of(sample.index(), sample.tokens(), sample.label(), sample.answer(), sample.expected()),
                        present.stream().map(sample.optional()::get)))
                .toList());
    }

    private static <T> List<T> with(List<T> first, Stream<? extends T> others) {
        return Stream.concat(first.stream(), others).toList();
    }

    /**
     * Reads a table that {@link #write} wrote.
     *
     * @throws ResultFormatException if the file is missing or not such a table
     */
    public static SampleTable read(Path file) {
        List<CsvFile.Row> rows = CsvFile.read(file);
        List<String> columns = rows.getFirst().cells();
        List<String> optional = columns.subList(Math.min(columns.size(), COLUMNS.size()), columns.size());
        if (!columns.equals(with(COLUMNS, OPTIONAL.stream().filter(optional::contains)))) {
            throw new ResultFormatException(file, 1, "the columns must be %s, then possibly %s"
                    .formatted(String.join(",", COLUMNS), String.join(",", OPTIONAL)));
        }
        return new SampleTable(rows.stream().skip(1).map(row -> sample(file, columns, row)).toList());
    }

    private static Sample sample(Path file, List<String> columns, CsvFile.Row row) {
        List<String> cells = row.cells();
        List<String> optional = OPTIONAL.stream()
                .map(column -> columns.contains(column) ? cells.get(columns.indexOf(column)) : "")
                .toList();
        return new Sample(CsvFile.wholeNumber(file, row, 0, "index"),
                CsvFile.wholeNumber(file, row, 1, "tokens"),
                cells.get(2), cells.get(3), cells.get(4), optional.get(0), optional.get(1));
    }
}
