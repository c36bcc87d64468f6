package headscope.analysis;

import static headscope.analysis.InputException.require;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Locale;

/**
 * How labels are written.
 *
 * @param names of label 0 and of label 1; empty for 0 and 1, or false and true
 */
public record LabelNames(List<String> names) {
    public static final LabelNames NUMBERS = new LabelNames(List.of());

    public LabelNames {
        names = List.copyOf(names);
    }

    /** @param given NEGATIVE,POSITIVE */
    public static LabelNames parse(String given) {
        List<String> names = List.of(given.split(",", -1));
        require(names.size() == 2 && names.stream().noneMatch(String::isBlank) && !names.get(0).equals(names.get(1)),
                "--label-names must be NEGATIVE,POSITIVE, two different names such as correct,hallucinated, not \"%s\""
                        .formatted(given));
        return new LabelNames(names);
    }

    /**
     * The label that a field gives.
     *
     * @throws InputException if it is none
     */
    public int label(Entry entry) {
        JsonNode value = entry.json().path("label");
        String text = value.isValueNode() && !value.isNull() ? value.asText() : "";
        int label = names.isEmpty()
                ? number(text.toLowerCase(Locale.ROOT))
                : names.indexOf(text);
        if (label < 0) {
            throw entry.wrong("label must be %s, not %s".formatted(names.isEmpty()
                    ? "0 or 1 (or false or true; other names by --label-names)"
                    : "%s or %s, as --label-names says".formatted(names.get(0), names.get(1)), Entry.printable(value)));
        }
        return label;
    }

    private static int number(String text) {
        return switch (text) {
            case "0", "false" -> 0;
            case "1", "true" -> 1;
            default -> -1;
        };
    }
}
