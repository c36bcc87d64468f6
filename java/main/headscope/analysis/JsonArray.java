package headscope.analysis;

import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.tensor.StrictJson;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.List;

/** Reads a JSON array of objects, element by element. */
final class JsonArray {
    private JsonArray() {}

    static List<Entry> read(String name, Reader characters, String form) throws IOException {
        List<Entry> entries = new ArrayList<>();
        try {
            StrictJson.elements(characters, (element, line) -> {
                String place = "entry %d (line %d)".formatted(entries.size() + 1, line);
                if (!(element instanceof ObjectNode object)) {
                    throw new InputException("%s: %s: must be %s".formatted(name, place, form));
                }
                entries.add(new Entry(name, place, object));
            });
        } catch (StrictJson.Fault fault) {
            throw new InputException("%s: line %d, column %d: %s; an entry of the array is %s"
                    .formatted(name, fault.line(), fault.column(), fault.rule(), form));
        } catch (CharacterCodingException notUtf8) {
            throw new InputException(name + ": is not UTF-8; save the file as UTF-8");
        }
        return entries;
    }
}
