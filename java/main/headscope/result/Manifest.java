package headscope.result;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a run was: the program, its input by digest, its settings and conventions. {@code manifest.json} of a run
 * folder.
 */
public record Manifest(ObjectNode json) {
    /** @throws RunFolderException when the file cannot be written */
    public void write(Path file) {
        try {
            Files.writeString(file, json.toPrettyString() + "\n");
        } catch (IOException failure) {
            throw new RunFolderException(file, failure);
        }
    }

    /** @throws ResultFormatException when folder is not a run's */
    public static Manifest read(Path folder) {
        Path file = folder.resolve(RunFolder.MANIFEST);
        if (!Files.isDirectory(folder)) {
            throw new ResultFormatException(folder, "no such folder; give the folder of a finished run");
        }
        if (!Files.exists(file)) {
            throw new ResultFormatException(folder, "holds no manifest.json; give the folder of a finished run");
        }
        try {
            if (new ObjectMapper().readTree(Files.readString(file)) instanceof ObjectNode object) {
                return new Manifest(object);
            }
            throw new ResultFormatException(file, "is not a JSON object");
        } catch (JsonProcessingException failure) {
            throw new ResultFormatException(file, "is not JSON (line %d, column %d)"
                    .formatted(failure.getLocation().getLineNr(), failure.getLocation().getColumnNr()));
        } catch (IOException failure) {
            throw new RunFolderException(file, failure);
        }
    }

    /** The string at a path such as "/model/digest/weights"; empty where there is none. */
    public String text(String path) {
        return json.at(path).asText();
    }

    /** Whether the value at a path is true. */
    public boolean flag(String path) {
        JsonNode value = json.at(path);
        return value.isBoolean() && value.booleanValue();
    }
}
