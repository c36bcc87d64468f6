package headscope.result;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The tokens of a map, {@code tokens.csv}: a row per token, with the label of its group and a readable name. */
public record TokenTable(List<String> tokens, List<TokenGroup> groups) {
    static final String FILE = "tokens.csv";

    /** The token where averaged texts differ. */
    public static final String DIFFERS = "*";

    private static final List<String> COLUMNS = List.of("index", "token", "group", "name");

    /** The columns of earlier versions. */
    private static final List<String> NAMELESS = COLUMNS.subList(0, 3);

    /**
     * @param tokens their strings in the vocabulary
     * @param groups from left to right, disjoint; adjacent groups have different labels
     */
    public TokenTable {
        tokens = List.copyOf(tokens);
        groups = List.copyOf(groups);
    }

    /** @throws RunFolderException if the file cannot be written */
    public void write(Path file) {
        List<String> names = TokenNames.of(tokens);
        List<List<?>> rows = new ArrayList<>();
        for (int i = 0; i < tokens.size(); i++) {
            rows.add(List.of(i, tokens.get(i), label(i), names.get(i)));
        }
        CsvFile.write(file, COLUMNS, rows);
    }

    private String label(int token) {
        return groups.stream()
                .filter(group -> token >= group.start() && token < group.end())
                .map(TokenGroup::label)
                .findFirst()
                .orElse("");
    }

    /**
     * Reads a table that {@link #write} wrote.
     *
     * @throws ResultFormatException if the file is missing or not such a table
     */
    public static TokenTable read(Path file) {
        List<CsvFile.Row> rows = CsvFile.read(file);
        List<String> columns = rows.removeFirst().cells();
        if (!columns.equals(COLUMNS) && !columns.equals(NAMELESS)) {
            throw new ResultFormatException(file, 1, "the columns must be " + String.join(",", COLUMNS));
        }
        List<TokenGroup> groups = new ArrayList<>();
        int start = 0;
        for (int i = 1; i <= rows.size(); i++) {
            String label = rows.get(start).cells().get(2);
            if (i == rows.size() || !rows.get(i).cells().get(2).equals(label)) {
                if (!label.isEmpty()) {
                    groups.add(new TokenGroup(label, start, i));
                }
                start = i;
            }
        }
        return new TokenTable(rows.stream().map(row -> row.cells().get(1)).toList(), groups);
    }
}
