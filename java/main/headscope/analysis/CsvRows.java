package headscope.analysis;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.tensor.Printable;
import headscope.tensor.StrictJson;
import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.csv.CSVException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * Reads CSV (RFC 4180) whose first line names the columns. An empty cell is a missing field; blank lines are skipped.
 * The reader stays open.
 */
final class CsvRows {
    /** Fields that may be lists. A cell that contains a JSON list is read as a list. */
    private static final Set<String> LISTS = Set.of("answer", "choices", "generated_tokens", "groups", "messages");

    private CsvRows() {}

    static List<Entry> read(String name, Reader characters) throws IOException {
        List<Entry> entries = new ArrayList<>();
        List<String> columns = List.of();
        CSVParser parser = CSVParser.builder().setReader(characters).setFormat(CSVFormat.RFC4180).get(); // not to be closed
        Iterator<CSVRecord> records = parser.iterator();
        for (long line = 1; hasNext(name, records, line, columns); line = parser.getCurrentLineNumber() + 1) {
            List<String> cells = records.next().toList();
            if (cells.size() == 1 && cells.getFirst().isBlank()) {
                continue;
            }
            if (columns.isEmpty()) {
                columns = columns(name, line, cells);
            } else {
                entries.add(entry(name, line, columns, cells));
            }
        }
        return entries;
    }

    private static boolean hasNext(String name, Iterator<CSVRecord> records, long line, List<String> columns) throws IOException {
        try {
            return records.hasNext();
        } catch (UncheckedIOException failure) {
            throw switch (failure.getCause()) {
                case CharacterCodingException e -> new InputException(name + ": is not UTF-8; save the file as UTF-8");
                case CSVException e -> wrong(name, line, "is not CSV: a quote within a quoted cell must be doubled, and the"
                        + " quote that ends a cell must be followed by a comma or a line end"
                        + (columns.isEmpty() ? "; the delimiter must be a comma, not a semicolon or a tab" : ""));
                default -> failure;
            };
        }
    }

    private static List<String> columns(String name, long line, List<String> cells) {
        String first = cells.getFirst();
        if (cells.size() == 1 && (first.contains(";") || first.contains("\t"))) {
            throw wrong(name, line, "the delimiter of CSV must be a comma, not %s; save the file with commas"
                    .formatted(first.contains(";") ? "a semicolon" : "a tab"));
        }
        for (int i = 0; i < cells.size(); i++) {
            String column = cells.get(i);
            if (column.isBlank()) {
                throw wrong(name, line, "column %d has no name; the first line of CSV names the columns".formatted(i + 1));
            }
            if (cells.indexOf(column) < i) {
                throw wrong(name, line, "two columns have the name " + Printable.quote(column));
            }
        }
        return cells;
    }

    private static Entry entry(String name, long line, List<String> columns, List<String> cells) {
        if (cells.size() != columns.size()) {
            throw wrong(name, line, "%d cells, but the first line has %d columns; the file is read as CSV".formatted(cells.size(), columns.size()));
        }
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        for (int i = 0; i < cells.size(); i++) {
            if (!cells.get(i).isEmpty()) {
                json.put(columns.get(i), cells.get(i));
            }
        }
        return new Entry(name, "line " + line, json);
    }

    /** The entry with the lists that its cells contain as JSON. */
    static Entry withLists(Entry entry) {
        ObjectNode json = entry.json().deepCopy();
        for (String field : LISTS) {
            list(json.path(field).asText()).ifPresent(list -> json.set(field, list));
        }
        return new Entry(entry.file(), entry.place(), json);
    }

    private static Optional<JsonNode> list(String cell) {
        if (!cell.strip().startsWith("[")) {
            return Optional.empty();
        }
        try {
            return Optional.of(StrictJson.value(cell)).filter(JsonNode::isArray);
        } catch (IOException text) {
            return Optional.empty();
        }
    }

    private static InputException wrong(String name, long line, String rule) {
        return new InputException("%s: line %d: %s".formatted(name, line, rule));
    }
}
