package headscope.analysis;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.tensor.DiskFailure;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A file of JSON lines; blank lines are skipped.
 *
 * @param name   path of the file, for messages and the manifest
 * @param digest SHA-256 of the bytes, in hexadecimal
 * @param lines  at least one
 */
public record JsonLines(String name, String digest, List<Line> lines) {
    /**
     * One line.
     *
     * @param file   the file's name
     * @param number line number, from 1
     */
    public record Line(String file, int number, ObjectNode json) {
        /** The value of a required string field. */
        public String string(String field) {
            JsonNode value = json.path(field);
            if (!value.isTextual()) {
                throw wrong(field + (value.isMissingNode() ? " is missing" : " must be a string"));
            }
            return value.textValue();
        }

        public InputException wrong(String rule) {
            return JsonLines.wrong(file, number, rule);
        }
    }

    /**
     * @param source a path, or "-" for standard input
     * @param form   the form of a line, for messages
     */
    public static JsonLines read(String source, InputStream standardInput, String form) {
        boolean piped = source.equals("-");
        String name = piped ? "standard input" : source;
        byte[] bytes;
        try {
            bytes = piped ? standardInput.readAllBytes() : Files.readAllBytes(Path.of(source));
        } catch (NoSuchFileException missing) {
            throw new InputException(source + ": no such file; give a file of JSON lines");
        } catch (IOException failure) {
            throw new InputException(source + ": cannot be read: " + DiskFailure.reason(failure));
        }
        return new JsonLines(name, Digest.of(bytes), parse(name, bytes, form));
    }

    /** Only the first lines; 0 for all. */
    public JsonLines first(int limit) {
        return limit == 0 || limit >= lines.size() ? this : new JsonLines(name, digest, lines.subList(0, limit));
    }

    /** Path and digest, for a run's provenance. */
    public ObjectNode provenance() {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("path", name);
        json.put("sha256", digest);
        return json;
    }

    private static List<Line> parse(String name, byte[] bytes, String form) {
        String content;
        try {
            content = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException failure) {
            throw new InputException(name + ": is not UTF-8 text");
        }
        ObjectMapper json = new ObjectMapper();
        List<Line> lines = new ArrayList<>();
        String[] rows = content.split("\n", -1);
        for (int i = 0; i < rows.length; i++) {
            if (!rows[i].isBlank()) {
                lines.add(new Line(name, i + 1, object(json, name, i + 1, rows[i], form)));
            }
        }
        if (lines.isEmpty()) {
            throw new InputException(name + ": contains no texts; a line is " + form);
        }
        return List.copyOf(lines);
    }

    private static ObjectNode object(ObjectMapper json, String name, int number, String row, String form) {
        try {
            if (json.readTree(row) instanceof ObjectNode object) {
                return object;
            }
            throw wrong(name, number, "must be " + form);
        } catch (JsonProcessingException failure) {
            throw wrong(name, number,
                    "is not JSON (column %d); a line is %s".formatted(failure.getLocation().getColumnNr(), form));
        }
    }

    public static InputException wrong(String name, int line, String rule) {
        return new InputException("%s: line %d: %s".formatted(name, line, rule));
    }
}
