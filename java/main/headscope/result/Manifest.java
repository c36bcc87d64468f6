package headscope.result;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.tensor.InputFile;
import headscope.tensor.Printable;
import headscope.tensor.StrictJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/** The description of a run, {@code manifest.json}: program, input by digest, settings, conventions, results. */
public record Manifest(ObjectNode json) {
    private static final long MAX_BYTES = 16 * InputFile.MIB;

    /** @throws RunFolderException if the file cannot be written */
    public void write(Path file) {
        try {
            Files.writeString(file, json.toPrettyString() + "\n");
        } catch (IOException failure) {
            throw new RunFolderException(file, failure);
        }
    }

    /** @throws ResultFormatException if the folder is not that of a finished run */
    public static Manifest read(Path folder) {
        Path file = folder.resolve(RunFolder.MANIFEST);
        if (!Files.isDirectory(folder)) {
            throw new ResultFormatException(folder, "no such folder; give the folder of a finished run");
        }
        if (!Files.exists(file)) {
            throw new ResultFormatException(folder, "contains no manifest.json; give the folder of a finished run");
        }
        try {
            if (StrictJson.read(file, MAX_BYTES) instanceof ObjectNode object) {
                return new Manifest(object);
            }
            throw new ResultFormatException(file, "is not a JSON object");
        } catch (IOException failure) {
            throw new ResultFormatException(file, StrictJson.fault(failure));
        }
    }

    /** The analysis that wrote the run, such as "spectra". */
    public String analysis() {
        return text("/analysis");
    }

    /** The caption of the figure. */
    public String caption() {
        return text("/caption");
    }

    /** The string at a path such as "/model/digest/weights"; empty if there is none. */
    public String text(String path) {
        return json.at(path).asText();
    }

    /**
     * The constant whose {@link #keyword} is at a path.
     *
     * @throws ResultFormatException if there is no such constant
     */
    public <E extends Enum<E>> E constant(String path, Class<E> type) {
        for (E constant : type.getEnumConstants()) {
            if (keyword(constant).equals(text(path))) {
                return constant;
            }
        }
        throw new ResultFormatException(Path.of(RunFolder.MANIFEST), "%s is %s, not one of %s".formatted(path.substring(1),
                Printable.quote(text(path)), Arrays.stream(type.getEnumConstants()).map(Manifest::keyword).toList()));
    }

    /**
     * The whole number at a path such as "/head/layer".
     *
     * @throws ResultFormatException if there is none
     */
    int wholeNumber(String path) {
        JsonNode value = json.at(path);
        if (!value.isInt()) {
            throw new ResultFormatException(Path.of(RunFolder.MANIFEST),
                    "%s is \"%s\", not a whole number".formatted(path.substring(1), value.asText()));
        }
        return value.intValue();
    }

    /** A constant as files and the command line spell it: in lower case. */
    public static String keyword(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    /** Whether the value at a path is true. */
    public boolean flag(String path) {
        JsonNode value = json.at(path);
        return value.isBoolean() && value.booleanValue();
    }
}
