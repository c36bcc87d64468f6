package headscope.analysis.spectra;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.analysis.Entries;
import headscope.analysis.Entry;
import headscope.analysis.Fields;
import headscope.analysis.InputException;
import headscope.analysis.LabelNames;
import headscope.result.SampleTable.Sample;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.Set;

/**
 * Labels for stored texts, from a file of entries with index or id, and label.
 *
 * @param name    path, for messages and the manifest
 * @param digest  SHA-256 of the file, in hexadecimal
 * @param names   how the file writes labels
 * @param byIndex texts are named by their index, as in {@code samples.csv}, otherwise by their id
 * @param labels  0 or 1 by the text's name; empty for texts that are listed without a label
 */
record LabelFile(
        String name, String digest, LabelNames names, boolean byIndex, SequencedMap<String, OptionalInt> labels) {
    private static final String FORM = "{\"index\": 0, \"label\": 0 or 1} or {\"id\": \"...\", \"label\": 0 or 1}";

    /** @throws InputException if the file is not one of labels */
    static LabelFile read(String path, LabelNames names) {
        InputException.require(!path.equals("-"), "--labels needs a file, not standard input");
        Entries file = Entries.read(path, InputStream.nullInputStream(), Fields.SAME, FORM);
        boolean byIndex = file.entries().getFirst().json().has("index");
        SequencedMap<String, OptionalInt> labels = new LinkedHashMap<>();
        for (Entry entry : file.entries()) {
            String key = byIndex ? "index" : "id";
            if (!entry.has(key)) {
                throw entry.wrong("must be %s, with the same fields in every line; those of CSV are columns".formatted(FORM));
            }
            String text = entry.json().get(key).asText();
            OptionalInt label = entry.has("label") ? OptionalInt.of(names.label(entry)) : OptionalInt.empty();
            if (labels.putIfAbsent(text, label) != null) {
                throw entry.wrong("text \"%s\" is in an earlier line".formatted(text));
            }
        }
        InputException.require(labels.values().stream().anyMatch(OptionalInt::isPresent),
                file.name() + ": no text has a label; give \"label\": 0 or 1, in CSV a column \"label\", for every text to be tested");
        return new LabelFile(file.name(), file.digest(), names, byIndex, labels);
    }

    /**
     * The file, for a manifest.
     *
     * @param unlabelled number of texts for which the file has no label
     */
    ObjectNode describe(int unlabelled) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        json.put("path", name).put("sha256", digest);
        if (!names.names().isEmpty()) {
            names.names().forEach(json.putArray("names")::add);
        }
        return json.put("unlabelled_texts", unlabelled);
    }

    /** What decides the labels: the digest and the names, as JSON. */
    static String identity(JsonNode description) {
        return description.path("sha256") + description.path("names").toString();
    }

    /**
     * The label of each text; empty if the file has none for it.
     *
     * @param where the texts are, and how their indices and ids can be seen
     * @throws InputException if the file names a text that is not there
     */
    List<OptionalInt> of(List<Sample> samples, String where) {
        Set<String> unused = new HashSet<>(labels.keySet());
        List<OptionalInt> found = new ArrayList<>();
        for (Sample sample : samples) {
            String text = byIndex ? Integer.toString(sample.index()) : sample.id();
            unused.remove(text);
            found.add(labels.getOrDefault(text, OptionalInt.empty()));
        }
        if (!unused.isEmpty()) {
            String first = labels.keySet().stream().filter(unused::contains).findFirst().orElseThrow();
            throw new InputException("%s: there is no text with %s \"%s\" in %s"
                    .formatted(name, byIndex ? "index" : "id", first, where));
        }
        return found;
    }
}
