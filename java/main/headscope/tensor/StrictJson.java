package headscope.tensor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Reads untrusted JSON: UTF-8 only, one value, no duplicate keys, no unpaired surrogates, limited depth, names and
 * numbers.
 */
public final class StrictJson {
    private static final int MAX_DEPTH = 32;
    private static final int MAX_DIGITS = 100;
    private static final int MAX_NAME = 10_000;
    private static final int MAX_STRING = 1 << 26;
    private static final char BYTE_ORDER_MARK = '\ufeff';

    // Field names are neither interned nor cached, so that a file cannot exhaust those tables.
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(MAX_DEPTH)
                    .maxNumberLength(MAX_DIGITS)
                    .maxNameLength(MAX_NAME)
                    .maxStringLength(MAX_STRING)
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .build();
    private static final ObjectMapper TREES = new ObjectMapper(JSON);

    /** Malformed JSON. */
    public static final class Fault extends IOException {
        private static final long serialVersionUID = 1L;

        private final String rule;
        private final int line;
        private final int column;

        private Fault(String rule, JsonLocation place) {
            super("%s (line %d, column %d)".formatted(rule, place.getLineNr(), place.getColumnNr()));
            this.rule = rule;
            this.line = place.getLineNr();
            this.column = place.getColumnNr();
        }

        /** What is wrong, without the place; continues a sentence that begins with the file's name. */
        public String rule() {
            return rule;
        }

        /** From 1. */
        public int line() {
            return line;
        }

        /** From 1. */
        public int column() {
            return column;
        }
    }

    private StrictJson() {}

    /**
     * The value in a file. A byte order mark is skipped.
     *
     * @param limit maximum size in bytes
     * @throws IOException whose {@link #fault} names the reason
     */
    public static JsonNode read(Path file, long limit) throws IOException {
        return tree(reader(InputFile.read(file, limit)));
    }

    /** The value in a text. */
    public static JsonNode value(String text) throws IOException {
        return tree(new StringReader(text));
    }

    /** Receives the elements of an array, in order. */
    public interface Elements {
        /** @param line on which the element begins, from 1 */
        void accept(JsonNode element, int line);
    }

    /** Reads an array element by element, and leaves the reader open. */
    public static void elements(Reader reader, Elements receiver) throws IOException {
        try (JsonParser parser = JSON.createParser(reader).disable(JsonParser.Feature.AUTO_CLOSE_SOURCE)) {
            try {
                if (parser.nextToken() != JsonToken.START_ARRAY) {
                    throw new Fault("is not a JSON array", parser.currentTokenLocation());
                }
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    int line = parser.currentTokenLocation().getLineNr();
                    JsonNode element = TREES.readTree(parser);
                    requireWellFormed(element, "", parser);
                    receiver.accept(element, line);
                }
                if (parser.nextToken() != null) {
                    throw new Fault("has more than one JSON value", parser.currentTokenLocation());
                }
            } catch (JsonProcessingException failure) {
                throw located(failure, parser);
            }
        }
    }

    private static Fault located(JsonProcessingException failure, JsonParser parser) {
        return new Fault(rule(failure), failure.getLocation() == null ? parser.currentLocation() : failure.getLocation());
    }

    private static JsonNode tree(Reader reader) throws IOException {
        try (JsonParser parser = JSON.createParser(reader)) {
            try {
                JsonNode value = TREES.readTree(parser);
                if (value == null || value.isMissingNode()) {
                    throw new Fault("is not JSON: it is empty", parser.currentLocation());
                }
                requireWellFormed(value, "", parser);
                if (parser.nextToken() != null) {
                    throw new Fault("has more than one JSON value", parser.currentTokenLocation());
                }
                return value;
            } catch (JsonProcessingException failure) {
                throw located(failure, parser);
            }
        }
    }

    private static void requireWellFormed(JsonNode value, String name, JsonParser parser) throws IOException {
        if (value.isTextual() && !wellFormed(value.textValue())) {
            throw new Fault("has an unpaired surrogate in " + Printable.quote(name), parser.currentLocation());
        }
        for (JsonNode element : value.isArray() ? value : TREES.createArrayNode()) {
            requireWellFormed(element, name, parser);
        }
        for (Map.Entry<String, JsonNode> field : value.properties()) {
            if (!wellFormed(field.getKey())) {
                throw new Fault("has an unpaired surrogate in a key", parser.currentLocation());
            }
            requireWellFormed(field.getValue(), field.getKey(), parser);
        }
    }

    private static String rule(JsonProcessingException failure) {
        String message = failure.getOriginalMessage();
        if (failure instanceof StreamConstraintsException) {
            return message.contains("nesting depth") ? "is nested more than %d levels deep".formatted(MAX_DEPTH)
                    : message.contains("Number value") ? "has a number of more than %d digits".formatted(MAX_DIGITS)
                    : message.contains("Name length") ? "has a key of more than %d characters".formatted(MAX_NAME)
                    : "has a string of more than %d characters".formatted(MAX_STRING);
        }
        if (message.startsWith("Duplicate field")) {
            return "has a key twice: " + Printable.line(message.substring("Duplicate field ".length()), 100);
        }
        return message.contains(String.valueOf((int) BYTE_ORDER_MARK))
                ? "has a byte order mark, which only the beginning of a file may have"
                : "is not JSON";
    }

    static JsonParser parse(byte[] utf8) throws IOException {
        return JSON.createParser(reader(utf8));
    }

    /** A reader instead of bytes: the encoding is not guessed and invalid UTF-8 is an error. */
    private static Reader reader(byte[] utf8) throws IOException {
        if (startsWith(utf8, 0xff, 0xfe) || startsWith(utf8, 0xfe, 0xff)) {
            throw new InputFile.Unusable("is UTF-16; save it as UTF-8");
        }
        int start = startsWith(utf8, 0xef, 0xbb, 0xbf) ? 3 : 0;
        return new InputStreamReader(
                new ByteArrayInputStream(utf8, start, utf8.length - start), StandardCharsets.UTF_8.newDecoder());
    }

    private static boolean startsWith(byte[] bytes, int... mark) {
        return bytes.length >= mark.length
                && IntStream.range(0, mark.length).allMatch(i -> Byte.toUnsignedInt(bytes[i]) == mark[i]);
    }

    /** What is wrong, in one line that continues a sentence which begins with the file's name. */
    public static String fault(IOException failure) {
        return switch (failure) {
            case Fault e -> e.getMessage();
            case JsonProcessingException e -> "is not valid JSON: " + Printable.line(e.getOriginalMessage(), 200);
            default -> InputFile.fault(failure);
        };
    }

    /** Whether the text has no unpaired surrogate. JSON escapes can express one, UTF-8 cannot. */
    static boolean wellFormed(String text) {
        return StandardCharsets.UTF_8.newEncoder().canEncode(text);
    }
}
