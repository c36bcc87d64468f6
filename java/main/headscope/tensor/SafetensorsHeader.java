package headscope.tensor;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The header of one safetensors file, validated against every rule of the format
 * (https://github.com/huggingface/safetensors#format): 8 bytes of length, JSON, then the data without gaps.
 */
final class SafetensorsHeader {
    static final int LENGTH_BYTES = 8;
    static final long MAX_BYTES = 100_000_000;
    static final String METADATA = "__metadata__";

    /** The maximum rank of NumPy 2. */
    private static final int MAX_RANK = 64;

    private static final ValueLayout.OfLong LENGTH =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** One tensor. Offsets are bytes from the start of the data. */
    record Entry(String name, DType dtype, long[] shape, long begin, long end) {}

    private final Path file;
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final List<Entry> entries = new ArrayList<>();
    private final long dataStart;
    /** The part of the header that is being read, for messages. */
    private String part = "header";

    /** Reads and validates the header of a memory-mapped file. */
    SafetensorsHeader(Path file, MemorySegment mapped) {
        this.file = file;
        if (mapped.byteSize() < LENGTH_BYTES) {
            throw violation("the file has %d bytes, fewer than the 8 of the header length"
                    .formatted(mapped.byteSize()));
        }
        long length = mapped.get(LENGTH, 0);
        if (length < 0 || length > MAX_BYTES) {
            throw violation("length %s is over the limit of %d bytes"
                    .formatted(Long.toUnsignedString(length), MAX_BYTES));
        }
        dataStart = LENGTH_BYTES + length;
        if (dataStart > mapped.byteSize()) {
            throw violation("length %d exceeds the size of the file, %d bytes"
                    .formatted(length, mapped.byteSize()));
        }
        read(mapped.asSlice(LENGTH_BYTES, length).toArray(ValueLayout.JAVA_BYTE));
        checkOffsets(mapped.byteSize() - dataStart);
    }

    Map<String, String> metadata() {
        return metadata;
    }

    /** Sorted by offset. */
    List<Entry> entries() {
        return entries;
    }

    /** Offset of the data in the file. */
    long dataStart() {
        return dataStart;
    }

    private void read(byte[] json) {
        if (json.length == 0 || json[0] != '{') {
            throw violation("does not begin with '{'");
        }
        int end = json.length;
        while (json[end - 1] == ' ') {
            end--;
        }
        if (json[end - 1] != '}') {
            throw violation("does not end with '}' and spaces");
        }
        try (JsonParser parser = StrictJson.parse(json)) {
            parser.nextToken();
            while (parser.nextToken() != JsonToken.END_OBJECT) {
                String name = parser.currentName();
                part = name.equals(METADATA) ? METADATA : "tensor " + Printable.quote(name);
                checkText(name);
                parser.nextToken();
                if (name.equals(METADATA)) {
                    readMetadata(parser);
                } else {
                    entries.add(readEntry(parser, name));
                }
                part = "header";
            }
            if (parser.nextToken() != null) {
                throw violation("has more than one JSON value");
            }
        } catch (IOException failure) {
            throw violation(StrictJson.fault(failure));
        }
    }

    private void readMetadata(JsonParser parser) throws IOException {
        require(parser.hasToken(JsonToken.START_OBJECT), "must be an object of strings");
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            checkText(key);
            require(parser.nextToken() == JsonToken.VALUE_STRING,
                    "the value of " + Printable.quote(key) + " must be a string");
            checkText(parser.getText());
            metadata.put(key, parser.getText());
        }
    }

    private Entry readEntry(JsonParser parser, String name) throws IOException {
        require(parser.hasToken(JsonToken.START_OBJECT),
                "must be an object of dtype, shape and data_offsets");
        DType dtype = null;
        long[] shape = null;
        long[] offsets = null;
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            parser.nextToken();
            switch (key) {
                case "dtype" -> dtype = readDType(parser);
                case "shape" -> shape = readIntegers(parser, "shape", MAX_RANK);
                case "data_offsets" -> offsets = readIntegers(parser, "data_offsets", 2);
                default -> throw violation("has the unknown field " + Printable.quote(key));
            }
        }
        require(dtype != null, "has no dtype");
        require(shape != null, "has no shape");
        require(offsets != null, "has no data_offsets");
        require(offsets.length == 2, "data_offsets must be two numbers, not " + offsets.length);
        require(offsets[0] <= offsets[1],
                "data_offsets begin %d is after end %d".formatted(offsets[0], offsets[1]));
        long size = byteSize(dtype, shape);
        require(size == offsets[1] - offsets[0], "%s %s is %d bytes, but data_offsets span %d"
                .formatted(dtype, Arrays.toString(shape), size, offsets[1] - offsets[0]));
        return new Entry(name, dtype, shape, offsets[0], offsets[1]);
    }

    private DType readDType(JsonParser parser) throws IOException {
        require(parser.hasToken(JsonToken.VALUE_STRING), "dtype must be a string");
        String text = parser.getText();
        for (DType dtype : DType.values()) {
            if (dtype.name().equals(text)) {
                return dtype;
            }
        }
        throw violation("unknown dtype %s; known are %s"
                .formatted(Printable.quote(text), Arrays.toString(DType.values())));
    }

    /** A list of non-negative integers. Other numbers are rejected before their digits are parsed. */
    private long[] readIntegers(JsonParser parser, String field, int limit) throws IOException {
        require(parser.hasToken(JsonToken.START_ARRAY), field + " must be a list");
        long[] numbers = new long[limit];
        int count = 0;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            require(parser.hasToken(JsonToken.VALUE_NUMBER_INT), field + " must hold integers only");
            require(count < limit, "%s has more than %d numbers".formatted(field, limit));
            require(parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER,
                    field + " has a number over 2^63");
            long number = parser.getLongValue();
            require(number >= 0, "%s has the negative number %d".formatted(field, number));
            numbers[count++] = number;
        }
        return Arrays.copyOf(numbers, count);
    }

    private long byteSize(DType dtype, long[] shape) {
        long size = dtype.bytes;
        try {
            for (long extent : shape) {
                size = Math.multiplyExact(size, extent);
            }
        } catch (ArithmeticException overflow) {
            throw violation("shape %s is over 2^63 bytes".formatted(Arrays.toString(shape)));
        }
        return size;
    }

    /** Tensors must cover the data without gaps and overlaps; empty tensors may lie at any boundary. */
    private void checkOffsets(long dataBytes) {
        entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long end = 0;
        for (Entry entry : entries) {
            part = "tensor " + Printable.quote(entry.name());
            require(entry.begin() <= end,
                    "bytes %d to %d before it belong to no tensor".formatted(end, entry.begin()));
            require(entry.begin() == end,
                    "begins at byte %d, inside the tensor that ends at %d".formatted(entry.begin(), end));
            require(entry.end() <= dataBytes,
                    "ends at byte %d, but the file has %d bytes of data".formatted(entry.end(), dataBytes));
            end = entry.end();
        }
        part = "header";
        require(end == dataBytes,
                "the tensors end at byte %d, but the file has %d bytes of data"
                        .formatted(end, dataBytes));
    }

    private void checkText(String text) {
        require(StrictJson.wellFormed(text), "contains an unpaired surrogate");
    }

    private void require(boolean holds, String rule) {
        if (!holds) {
            throw violation(rule);
        }
    }

    private ModelFormatException violation(String rule) {
        return new ModelFormatException(file, part, rule);
    }
}
