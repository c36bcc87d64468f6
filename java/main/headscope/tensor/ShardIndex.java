package headscope.tensor;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** Reads {@code model.safetensors.index.json}, which maps each tensor to a file of the folder. */
final class ShardIndex {
    private static final long MAX_BYTES = 256 * InputFile.MIB;

    private ShardIndex() {}

    /** Maps each tensor to the name of its file, without a path. */
    static Map<String, String> read(Path index) {
        try (JsonParser parser = StrictJson.parse(InputFile.read(index, MAX_BYTES))) {
            return readRoot(index, parser);
        } catch (IOException failure) {
            throw new ModelFormatException(index, StrictJson.fault(failure));
        }
    }

    private static Map<String, String> readRoot(Path index, JsonParser parser) throws IOException {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw new ModelFormatException(index, "must be a JSON object");
        }
        Map<String, String> files = new TreeMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            parser.nextToken();
            if (key.equals("weight_map")) {
                readWeightMap(index, parser, files);
            } else {
                parser.skipChildren();
            }
        }
        if (parser.nextToken() != null) {
            throw new ModelFormatException(index, "has more than one JSON value");
        }
        if (files.isEmpty()) {
            throw new ModelFormatException(index, "weight_map", "lists no tensors");
        }
        return files;
    }

    private static void readWeightMap(Path index, JsonParser parser, Map<String, String> files)
            throws IOException {
        if (!parser.hasToken(JsonToken.START_OBJECT)) {
            throw new ModelFormatException(index, "weight_map", "must be an object of file names");
        }
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String tensor = parser.currentName();
            String part = "tensor " + Printable.quote(tensor);
            if (parser.nextToken() != JsonToken.VALUE_STRING) {
                throw new ModelFormatException(index, part, "the file name must be a string");
            }
            String file = parser.getText();
            if (!plainName(file)) {
                throw new ModelFormatException(index, part,
                        "file %s must be a name without a path".formatted(Printable.quote(file)));
            }
            files.put(tensor, file);
        }
    }

    /** Symbolic links may leave the folder, as in a download cache; names may not. */
    private static boolean plainName(String file) {
        if (file.isEmpty() || file.equals(".") || file.equals("..")
                || file.indexOf('/') >= 0 || file.indexOf('\\') >= 0) {
            return false;
        }
        try {
            return Path.of(file).getNameCount() == 1;
        } catch (InvalidPathException e) {
            return false;
        }
    }
}
