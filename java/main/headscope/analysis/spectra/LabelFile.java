package headscope.analysis.spectra;

import com.fasterxml.jackson.databind.JsonNode;
import headscope.analysis.Digest;
import headscope.analysis.InputException;
import headscope.analysis.JsonLines;
import headscope.result.LabelTable;
import headscope.result.SampleTable.Sample;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.Set;

/**
 * Labels for stored texts, from a CSV file with columns index or id, and label, or from JSON lines with these fields.
 *
 * @param name    path, for messages and the manifest
 * @param digest  SHA-256 of the file, in hexadecimal
 * @param byIndex texts are named by their index, as in {@code samples.csv}, otherwise by their id
 * @param labels  0 or 1 by the text's name
 */
record LabelFile(String name, String digest, boolean byIndex, SequencedMap<String, Integer> labels) {
    private static final String FORM = "{\"index\": 0, \"label\": 0 or 1} or {\"id\": \"...\", \"label\": 0 or 1}";

    /** @throws InputException if the file is not one of labels */
    static LabelFile read(String path) {
        String lower = path.toLowerCase(Locale.ROOT);
        if (lower.endsWith(".csv")) {
            LabelTable table = LabelTable.read(Path.of(path));
            SequencedMap<String, Integer> labels = new LinkedHashMap<>();
            table.rows().forEach(row -> put(labels, path, row.line(), row.name(), row.label()));
            return new LabelFile(path, Digest.of(List.of(Path.of(path))), table.byIndex(), labels);
        }
        if (lower.endsWith(".jsonl")) {
            return of(JsonLines.read(path, InputStream.nullInputStream(), FORM));
        }
        throw new InputException(path + ": labels are read from a file that ends in .csv or .jsonl");
    }

    private static LabelFile of(JsonLines lines) {
        boolean byIndex = lines.lines().getFirst().json().has("index");
        SequencedMap<String, Integer> labels = new LinkedHashMap<>();
        for (JsonLines.Line line : lines.lines()) {
            JsonNode text = line.json().path(byIndex ? "index" : "id");
            JsonNode label = line.json().path("label");
            if (text.isMissingNode() || label.isMissingNode()) {
                throw line.wrong("must be " + FORM + ", with the same fields in every line");
            }
            put(labels, lines.name(), line.number(), text.asText(), label.asText());
        }
        return new LabelFile(lines.name(), lines.digest(), byIndex, labels);
    }

    private static void put(
            SequencedMap<String, Integer> labels, String file, long line, String text, String label) {
        if (!label.equals("0") && !label.equals("1")) {
            throw wrong(file, line, "label must be 0 or 1, not \"" + label + "\"");
        }
        if (labels.putIfAbsent(text, Integer.valueOf(label)) != null) {
            throw wrong(file, line, "text \"" + text + "\" has a label in an earlier line");
        }
    }

    private static InputException wrong(String file, long line, String rule) {
        return JsonLines.wrong(file, Math.toIntExact(line), rule);
    }

    /**
     * The label of each text; empty if the file has none for it.
     *
     * @throws InputException if a label is for a text that is not there
     */
    List<OptionalInt> of(List<Sample> samples, Path run) {
        Set<String> unused = new HashSet<>(labels.keySet());
        List<OptionalInt> found = new ArrayList<>();
        for (Sample sample : samples) {
            String text = byIndex ? Integer.toString(sample.index()) : sample.id();
            unused.remove(text);
            Integer label = labels.get(text);
            found.add(label == null ? OptionalInt.empty() : OptionalInt.of(label));
        }
        if (!unused.isEmpty()) {
            String first = labels.keySet().stream().filter(unused::contains).findFirst().orElseThrow();
            throw new InputException("%s: %s has no text with %s \"%s\"; samples.csv there lists its texts"
                    .formatted(name, run, byIndex ? "index" : "id", first));
        }
        return found;
    }
}
