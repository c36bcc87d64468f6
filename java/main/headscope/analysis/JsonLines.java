package headscope.analysis;

import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.tensor.StrictJson;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads JSON lines: one object a line. Blank lines are skipped. Memory is bounded by the objects and one line. */
final class JsonLines {
    private static final int MAX_LINE_BYTES = 64 << 20;

    private JsonLines() {}

    static List<Entry> read(String name, BufferedInputStream stream, String form) throws IOException {
        List<Entry> lines = new ArrayList<>();
        int number = 1;
        for (Optional<byte[]> row = row(name, number, stream); row.isPresent(); row = row(name, number, stream)) {
            String text = text(name, number, row.get());
            if (!text.isBlank()) {
                lines.add(new Entry(name, place(number), object(name, number, text, form)));
            }
            number++;
        }
        return lines;
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
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(row)).toString();
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

    private static String place(int number) {
        return "line " + number;
    }

    private static InputException wrong(String name, int number, String rule) {
        return new InputException("%s: %s: %s".formatted(name, place(number), rule));
    }
}
