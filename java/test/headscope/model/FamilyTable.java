package headscope.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One family's table in docs/families.md, with the columns key, effect, default, rejected, and accepted although
 * transformers stops.
 */
record FamilyTable(Map<String, Row> rows) {
    private record Row(String rejected, String accepted) {}

    static FamilyTable read(String modelType) {
        try {
            List<String> lines = Files.readAllLines(Path.of("docs/families.md"));
            int heading = lines.indexOf("## " + modelType);
            assertFalse(heading < 0, "docs/families.md has no section " + modelType);
            Map<String, Row> rows = new HashMap<>();
            for (String line : lines.subList(heading + 1, lines.size())) {
                if (line.startsWith("## ")) {
                    break;
                }
                if (line.startsWith("| `")) {
                    String[] cells = line.split("(?<!\\\\)\\|", -1);
                    assertEquals(7, cells.length, line);
                    for (String key : cells[1].replace("`", "").split(",")) {
                        rows.put(key.strip(), new Row(cells[4].strip(), cells[5].strip()));
                    }
                }
            }
            return new FamilyTable(rows);
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** Whether the key that a message rejects is listed; a message about a tensor is about the changed keys. */
    boolean rejects(String message, Collection<String> changedKeys) {
        int at = message.indexOf("config.json: ");
        if (at < 0) {
            return changedKeys.stream().anyMatch(this::rejects);
        }
        return rejects(message.substring(at).split(": ", 3)[1].replaceFirst("^rope_scaling\\.", "rope_parameters.")
                .replaceFirst("(full|sliding)_attention\\.", ""));
    }

    private boolean rejects(String key) {
        return rows.containsKey(key) && !rows.get(key).rejected().isEmpty();
    }

    boolean accepts(Collection<String> changedKeys) {
        return changedKeys.stream().anyMatch(key -> rows.containsKey(key) && !rows.get(key).accepted().isEmpty());
    }
}
