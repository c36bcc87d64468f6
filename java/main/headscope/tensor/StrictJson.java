package headscope.tensor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Reads untrusted JSON: UTF-8 only, no duplicate keys, limited depth, names and numbers. */
final class StrictJson {
    private static final int MESSAGE_CHARS = 200;

    // Field names are neither interned nor cached, so that a file cannot exhaust those tables.
    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(32)
                    .maxNumberLength(100)
                    .maxNameLength(10_000)
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
            .build();

    private StrictJson() {}

    /** Parses through a reader instead of bytes: the encoding is not guessed and invalid UTF-8 is an error. */
    static JsonParser parse(byte[] utf8) throws IOException {
        return JSON.createParser(
                new InputStreamReader(new ByteArrayInputStream(utf8), StandardCharsets.UTF_8.newDecoder()));
    }

    /** The reason for a failure, in one line. */
    static String reason(IOException failure) {
        return switch (failure) {
            case CharacterCodingException e -> "is not UTF-8";
            case JsonProcessingException e -> "is not valid JSON: " + oneLine(e.getOriginalMessage());
            default -> "cannot be read: " + DiskFailure.reason(failure);
        };
    }

    /** A name from a file for use in a message: quoted, control characters escaped, truncated. */
    static String quote(String name) {
        return '"' + oneLine(name) + '"';
    }

    /** Whether the text has no unpaired surrogate. JSON escapes can express one, UTF-8 cannot. */
    static boolean wellFormed(String text) {
        return StandardCharsets.UTF_8.newEncoder().canEncode(text);
    }

    private static String oneLine(String text) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (line.length() >= MESSAGE_CHARS) {
                return line.append("...").toString();
            }
            char c = text.charAt(i);
            boolean plain = c >= ' ' && c != 0x7f && (c < 0x80 || c > 0x9f) && c != 0x2028 && c != 0x2029
                    && !Character.isSurrogate(c);
            line.append(plain ? String.valueOf(c) : "\\u%04x".formatted((int) c));
        }
        return line.toString();
    }
}
