package headscope.analysis;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.model.TextException;
import headscope.tensor.InputFile;
import headscope.tensor.Printable;
import headscope.tensor.StrictJson;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * A file of JSON lines: one object a line. Blank lines and a byte order mark at the beginning are skipped.
 *
 * @param name   path of the file, for messages and the manifest
 * @param digest SHA-256 of the bytes, in hexadecimal
 * @param lines  at least one
 */
public record JsonLines(String name, String digest, List<Line> lines) {
    private static final int MAX_LINE_BYTES = 64 << 20;
    private static final int MAX_VALUE = 60;

    /** Keys that determine a text or its label in some analysis. Where they would be ignored, they are rejected. */
    private static final Set<String> DECISIVE = Set.of("prompt", "answer", "text", "label");

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

        /**
         * Rejects keys that would silently be ignored: those that determine a text in another form, and misspellings of
         * the keys in use, such as "Groups" or "group". All other keys are annotations.
         *
         * @param used keys that are read from this line
         */
        public void requireUsed(Set<String> used) {
            for (String key : (Iterable<String>) json::fieldNames) {
                if (used.contains(key)) {
                    continue;
                }
                if (DECISIVE.contains(key)) {
                    throw wrong("%s would be ignored beside %s: remove it".formatted(
                            Printable.quote(key), used.stream().filter(json::has).sorted().toList()));
                }
                used.stream().filter(known -> isMisspelt(key, known)).findFirst().ifPresent(known -> {
                    throw wrong("%s would be ignored; write \"%s\"".formatted(Printable.quote(key), known));
                });
            }
        }

        private static boolean isMisspelt(String key, String known) {
            String plain = key.strip().toLowerCase(Locale.ROOT);
            return plain.equals(known) || plain.equals(known + "s") || (plain + "s").equals(known);
        }

        /** Names this line in the exception if a text cannot be used. */
        public <T> T located(Supplier<T> reading) {
            return JsonLines.located(file, number, reading);
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
        try {
            if (piped) {
                return parse(name, standardInput, form);
            }
            InputFile.requireRegular(Path.of(source));
            try (InputStream stream = Files.newInputStream(Path.of(source))) {
                return parse(name, stream, form);
            }
        } catch (InvalidPathException | NoSuchFileException missing) {
            throw new InputException(source + ": no such file; give a file of JSON lines");
        } catch (IOException failure) {
            throw new InputException(name + ": " + InputFile.fault(failure));
        }
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

    /** Reads line by line, so that memory is bounded by the objects and one line. */
    private static JsonLines parse(String name, InputStream stream, String form) throws IOException {
        DigestInputStream digested = new DigestInputStream(stream, Digest.sha256());
        BufferedInputStream buffered = new BufferedInputStream(digested, 1 << 16);
        List<Line> lines = new ArrayList<>();
        int number = 1;
        for (Optional<byte[]> row = row(name, number, buffered); row.isPresent(); row = row(name, number, buffered)) {
            if (number == 1) {
                InputFile.requireNoPointer(row.get());
            }
            String text = text(name, number, row.get());
            if (!text.isBlank()) {
                lines.add(new Line(name, number, object(name, number, text, form)));
            }
            number++;
        }
        if (lines.isEmpty()) {
            throw new InputException(name + ": contains no texts; a line is " + form);
        }
        return new JsonLines(
                name, HexFormat.of().formatHex(digested.getMessageDigest().digest()), List.copyOf(lines));
    }

    /** The bytes before the next line feed or the end of the stream; empty at its end. */
    private static Optional<byte[]> row(String name, int number, BufferedInputStream stream) throws IOException {
        int next = stream.read();
        if (next < 0) {
            return Optional.empty();
        }
        ByteArrayOutputStream row = new ByteArrayOutputStream();
        for (; next >= 0 && next != '\n'; next = stream.read()) {
            if (row.size() == MAX_LINE_BYTES) {
                throw wrong(name, number, "is over the limit of 64 MiB");
            }
            row.write(next);
        }
        return Optional.of(row.toByteArray());
    }

    private static String text(String name, int number, byte[] row) {
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(row)).toString();
            return number == 1 && text.startsWith("\ufeff") ? text.substring(1) : text;
        } catch (CharacterCodingException failure) {
            throw wrong(name, number, "is not UTF-8; save the file as UTF-8");
        }
    }

    private static ObjectNode object(String name, int number, String row, String form) throws IOException {
        try {
            if (StrictJson.value(row) instanceof ObjectNode object) {
                return object;
            }
            throw wrong(name, number, "must be " + form);
        } catch (StrictJson.Fault fault) {
            throw wrong(name, number, "%s (column %d); a line is %s".formatted(fault.rule(), fault.column(), form));
        }
    }

    /** A value for a message. */
    static String printable(JsonNode value) {
        return Printable.line(value.toString(), MAX_VALUE);
    }

    /** Names the line in the exception if its text cannot be used. */
    public static <T> T located(String name, int line, Supplier<T> reading) {
        try {
            return reading.get();
        } catch (TextException unusable) {
            throw wrong(name, line, unusable.getMessage());
        }
    }

    public static InputException wrong(String name, int line, String rule) {
        return new InputException("%s: line %d: %s".formatted(name, line, rule));
    }
}
