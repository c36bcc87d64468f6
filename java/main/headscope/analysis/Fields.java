package headscope.analysis;

import static headscope.analysis.InputException.require;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.tensor.Printable;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/**
 * Field names of a file of texts that differ from Headscope's.
 *
 * @param renamed for a name in the file, the field that it is, or {@value #IGNORED}
 */
public record Fields(SequencedMap<String, String> renamed) {
    /** In place of a field: the name is ignored. */
    private static final String IGNORED = "-";

    /** The fields that analyses read. */
    private static final List<String> KNOWN = List.of(
            "prompt", "answer", "choices", "text", "label", "id", "generated", "generated_tokens", "messages", "groups",
            "function", "split");

    /** Maximum number of names in a message. */
    private static final int SHOWN = 12;

    /** Every field has its own name. */
    public static final Fields SAME = new Fields(new LinkedHashMap<>());

    public Fields {
        renamed = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(renamed));
    }

    /** @param pairs each NAME=FIELD, or NAME=- for a name that is ignored */
    public static Fields parse(List<String> pairs) {
        SequencedMap<String, String> renamed = new LinkedHashMap<>();
        Set<String> given = new HashSet<>();
        for (String pair : pairs) {
            int equals = pair.lastIndexOf('=');
            require(equals > 0, "--fields: write NAME=FIELD, such as question=prompt, or NAME=- to ignore NAME, not "
                    + Printable.quote(pair));
            String name = pair.substring(0, equals);
            String field = pair.substring(equals + 1);
            require(field.equals(IGNORED) || KNOWN.contains(field), "--fields: there is no field %s; the fields are %s"
                    .formatted(Printable.quote(field), String.join(", ", KNOWN)));
            require(renamed.putIfAbsent(name, field) == null, "--fields: %s is given twice".formatted(Printable.quote(name)));
            require(field.equals(IGNORED) || given.add(field), "--fields: two names stand for " + field);
        }
        return new Fields(renamed);
    }

    public boolean isEmpty() {
        return renamed.isEmpty();
    }

    /** Adds the names to a description of a file, if there are any. */
    void describe(ObjectNode json) {
        if (!isEmpty()) {
            renamed.forEach(json.putObject("fields")::put);
        }
    }

    /**
     * Entries with the fields' own names.
     *
     * @throws InputException if no entry has one of the names, or an entry has a field twice
     */
    List<Entry> apply(String file, List<Entry> entries) {
        if (isEmpty()) {
            return entries;
        }
        Set<String> found = new LinkedHashSet<>();
        entries.forEach(entry -> entry.json().fieldNames().forEachRemaining(found::add));
        for (String name : renamed.keySet()) {
            require(found.contains(name), "--fields: %s has no field %s, only %s".formatted(file, Printable.quote(name),
                    String.join(", ", found.stream().limit(SHOWN).map(Printable::quote).toList())
                            + (found.size() > SHOWN ? ", ..." : "")));
        }
        return entries.stream().map(this::apply).toList();
    }

    private Entry apply(Entry entry) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        for (Map.Entry<String, JsonNode> value : entry.json().properties()) {
            String field = renamed.getOrDefault(value.getKey(), value.getKey());
            if (!field.equals(IGNORED) && json.putIfAbsent(field, value.getValue()) != null) {
                throw entry.wrong("has both %s and a field that --fields renames to it; ignore %1$s with --fields %s=-"
                        .formatted(Printable.quote(field), field));
            }
        }
        return new Entry(entry.file(), entry.place(), json);
    }
}
