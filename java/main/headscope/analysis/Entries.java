package headscope.analysis;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.tensor.InputFile;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * A file of texts or labels, as JSON lines, as a JSON array of objects, or as CSV with a line of column names. A byte
 * order mark at the beginning is skipped.
 *
 * @param name    path of the file, for messages and the manifest
 * @param digest  SHA-256 of the bytes, in hexadecimal
 * @param fields  field names of the file
 * @param chat    how messages were rendered, if there are any
 * @param entries at least one
 */
public record Entries(String name, String digest, Fields fields, Optional<ChatUse> chat, List<Entry> entries) {
    /** Maximum number of bytes before the first character, which determines the format. */
    private static final int BEGINNING = 1 << 16;

    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};

    private enum Format {
        LINES,
        ARRAY,
        CSV
    }

    /**
     * @param source a path, or "-" for standard input
     * @param fields field names of the file
     * @param form   the form of an entry, for messages
     */
    public static Entries read(String source, InputStream standardInput, Fields fields, String form) {
        boolean piped = source.equals("-");
        String name = piped ? "standard input" : source;
        try {
            if (piped) {
                return parse(name, standardInput, fields, form);
            }
            InputFile.requireRegular(Path.of(source));
            try (InputStream stream = Files.newInputStream(Path.of(source))) {
                return parse(name, stream, fields, form);
            }
        } catch (InvalidPathException | NoSuchFileException missing) {
            throw new InputException(source + ": no such file; give a file of JSON lines, a JSON array or CSV");
        } catch (IOException failure) {
            throw new InputException(name + ": " + InputFile.fault(failure));
        }
    }

    /** Only the first entries; 0 for all. */
    public Entries first(int limit) {
        return limit == 0 || limit >= entries.size()
                ? this
                : new Entries(name, digest, fields, chat, entries.subList(0, limit));
    }

    /**
     * The names of the entries; empty where an entry has none.
     *
     * @throws InputException if two entries have the same name
     */
    public List<String> ids() {
        Set<String> taken = new HashSet<>();
        return entries.stream()
                .map(entry -> {
                    String id = entry.id().orElse("");
                    if (!id.isEmpty() && !taken.add(id)) {
                        throw entry.wrong("the id \"%s\" is already that of an earlier entry".formatted(id));
                    }
                    return id;
                })
                .toList();
    }

    /** Path, digest, field names and how messages were rendered, for a run's provenance. */
    public ObjectNode provenance() {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("path", name);
        json.put("sha256", digest);
        fields.describe(json);
        chat.ifPresent(use -> use.describe(json));
        return json;
    }

    private static Entries parse(String name, InputStream stream, Fields fields, String form) throws IOException {
        DigestInputStream digested = new DigestInputStream(stream, Digest.sha256());
        BufferedInputStream buffered = new BufferedInputStream(digested, BEGINNING);
        Format format = format(name, buffered);
        List<Entry> entries = switch (format) {
            case LINES -> JsonLines.read(name, buffered, form);
            case ARRAY -> JsonArray.read(name, characters(buffered), form);
            case CSV -> CsvRows.read(name, characters(buffered));
        };
        buffered.transferTo(OutputStream.nullOutputStream()); // for the digest
        if (entries.isEmpty()) {
            throw new InputException(name + ": contains no texts; a line is " + form);
        }
        List<Entry> renamed = fields.apply(name, entries);
        return new Entries(name, HexFormat.of().formatHex(digested.getMessageDigest().digest()), fields, Optional.empty(),
                format == Format.CSV ? renamed.stream().map(CsvRows::withLists).toList() : renamed);
    }

    /** CSV by the name's ending, JSON by its ending or its first character, otherwise CSV; skips a byte order mark. */
    private static Format format(String name, BufferedInputStream stream) throws IOException {
        stream.mark(BEGINNING);
        byte[] beginning = stream.readNBytes(BEGINNING);
        stream.reset();
        InputFile.requireNoPointer(beginning);
        int at = 0;
        if (Arrays.mismatch(beginning, BYTE_ORDER_MARK) >= BYTE_ORDER_MARK.length
                || Arrays.equals(beginning, BYTE_ORDER_MARK)) {
            at = BYTE_ORDER_MARK.length;
            stream.skipNBytes(at);
        }
        while (at < beginning.length && Character.isWhitespace(beginning[at])) {
            at++;
        }
        String lower = name.toLowerCase(Locale.ROOT);
        if (lower.endsWith(".csv")) {
            return Format.CSV;
        }
        if (at < beginning.length && beginning[at] == '[') {
            return Format.ARRAY;
        }
        return at == beginning.length || beginning[at] == '{' || lower.matches(".*\\.(json|jsonl|ndjson)")
                ? Format.LINES
                : Format.CSV;
    }

    private static Reader characters(InputStream stream) {
        return new InputStreamReader(stream, StandardCharsets.UTF_8.newDecoder());
    }
}
