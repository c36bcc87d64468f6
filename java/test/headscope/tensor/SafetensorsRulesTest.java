package headscope.tensor;

import static headscope.tensor.RawFile.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** One violation of each rule of the format. */
class SafetensorsRulesTest {
    private static final Path FILE = Path.of("m");
    private static final String A = entry("a", "F32", "[2]", 0, 8);

    /** Header, bytes of data, message. */
    static Stream<Arguments> rules() {
        return Stream.of(
                arguments("", 0, "header: does not begin with '{'"),
                arguments("[]", 0, "header: does not begin with '{'"),
                arguments(" {}", 0, "header: does not begin with '{'"),
                arguments("\uFEFF{}", 0, "header: does not begin with '{'"),
                arguments("{} \n", 0, "header: does not end with '}' and spaces"),
                arguments("{", 0, "header: does not end with '}' and spaces"),
                arguments("{}{}", 0, "header: has more than one JSON value"),
                arguments("{\"a\"}", 0, "header: is not valid JSON: "),
                arguments("{\u0000}", 0, "header: is not valid JSON: "),
                arguments("{" + A + "," + A + "}", 8, "header: is not valid JSON: Duplicate"),
                arguments("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0,
                        "tensor \"a\": is not valid JSON: Duplicate"),
                arguments("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0,
                        "__metadata__: is not valid JSON: Duplicate"),
                arguments("{\"__metadata__\":{},\"__metadata__\":{}}", 0,
                        "header: is not valid JSON: Duplicate"),
                arguments("{\"__metadata__\":[]}", 0, "__metadata__: must be an object of strings"),
                arguments("{\"__metadata__\":{\"k\":1}}", 0,
                        "__metadata__: the value of \"k\" must be a string"),
                arguments("{\"__metadata__\":{\"k\":{}}}", 0,
                        "__metadata__: the value of \"k\" must be a string"),
                arguments("{\"__metadata__\":{\"k\":\"\\ud800\"}}", 0,
                        "__metadata__: contains an unpaired surrogate"),
                arguments("{\"\\udc00\":{}}", 0, "tensor \"\\udc00\": contains an unpaired surrogate"),
                arguments("{\"a\":null}", 0,
                        "tensor \"a\": must be an object of dtype, shape and data_offsets"),
                arguments("{\"a\":{}}", 0, "tensor \"a\": has no dtype"),
                arguments("{\"a\":{\"dtype\":\"F32\"}}", 0, "tensor \"a\": has no shape"),
                arguments("{\"a\":{\"dtype\":\"F32\",\"shape\":[0]}}", 0,
                        "tensor \"a\": has no data_offsets"),
                arguments("{\"a\":{\"strides\":[1]}}", 0, "tensor \"a\": has the unknown field \"strides\""),
                arguments("{\"a\":{\"dtype\":3}}", 0, "tensor \"a\": dtype must be a string"),
                arguments("{" + entry("a", "F8_E4M3", "[2]", 0, 2) + "}", 2,
                        "tensor \"a\": unknown dtype \"F8_E4M3\";"
                        + " known are [F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL]"),
                arguments("{" + entry("a", "F32", "2", 0, 8) + "}", 8, "tensor \"a\": shape must be a list"),
                arguments("{" + entry("a", "F32", "[\"2\"]", 0, 8) + "}", 8, "shape must hold integers only"),
                arguments("{" + entry("a", "F32", "[2.0]", 0, 8) + "}", 8, "shape must hold integers only"),
                arguments("{" + entry("a", "F32", "[2e0]", 0, 8) + "}", 8, "shape must hold integers only"),
                arguments("{" + entry("a", "F32", "[1e999999999]", 0, 8) + "}", 8,
                        "shape must hold integers only"),
                arguments("{" + entry("a", "F32", "[[2]]", 0, 8) + "}", 8, "shape must hold integers only"),
                arguments("{" + entry("a", "F32", "[null]", 0, 8) + "}", 8, "shape must hold integers only"),
                arguments("{" + entry("a", "F32", "[-2]", 0, 8) + "}", 8, "shape has the negative number -2"),
                arguments("{" + entry("a", "F32", "[9223372036854775808]", 0, 8) + "}", 8,
                        "shape has a number over 2^63"),
                arguments("{" + entry("a", "F32", "[1" + "0".repeat(1000) + "]", 0, 8) + "}", 8,
                        "tensor \"a\": is not valid JSON: Number value length"),
                arguments("{" + entry("a", "F32", "[" + "1,".repeat(64) + "2]", 0, 8) + "}", 8,
                        "shape has more than 64 numbers"),
                arguments("{" + entry("a", "F32", "[4294967296,4294967296]", 0, 8) + "}", 8,
                        "tensor \"a\": shape [4294967296, 4294967296] is over 2^63 bytes"),
                arguments("{" + entry("a", "F32", "[2305843009213693952]", 0, 8) + "}", 8,
                        "is over 2^63 bytes"),
                arguments("{" + entry("a", "F32", "[2]", 8, 0) + "}", 8,
                        "tensor \"a\": data_offsets begin 8 is after end 0"),
                arguments("{" + entry("a", "F32", "[2]", -8, 0) + "}", 8,
                        "data_offsets has the negative number -8"),
                arguments("{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0]}}", 1,
                        "data_offsets must be two numbers, not 1"),
                arguments("{\"a\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1,2]}}", 1,
                        "data_offsets has more than 2 numbers"),
                arguments("{" + entry("a", "F32", "[2]", 0, 4) + "}", 4,
                        "tensor \"a\": F32 [2] is 8 bytes, but data_offsets span 4"),
                arguments("{" + entry("a", "U8", "[2]", 1, 3) + "}", 3,
                        "tensor \"a\": bytes 0 to 1 before it belong to no tensor"),
                arguments("{" + A + "," + entry("b", "U8", "[2]", 7, 9) + "}", 9,
                        "tensor \"b\": begins at byte 7, inside the tensor that ends at 8"),
                arguments("{" + A + "," + entry("b", "F32", "[0]", 4, 4) + "}", 8,
                        "tensor \"b\": begins at byte 4, inside the tensor that ends at 8"),
                arguments("{" + A + "}", 7, "tensor \"a\": ends at byte 8, but the file has 7 bytes of data"),
                arguments("{" + A + "}", 9,
                        "header: the tensors end at byte 8, but the file has 9 bytes of data"),
                arguments("{}", 1, "header: the tensors end at byte 0, but the file has 1 bytes of data"));
    }

    @ParameterizedTest
    @MethodSource("rules")
    void violationsAreReported(String json, int dataBytes, String rule) {
        assertRejected(RawFile.bytes(json, dataBytes), rule);
    }

    @Test
    void shortFileAndHeaderLength() {
        assertRejected(new byte[7], "header: the file has 7 bytes, fewer than the 8 of the header length");
        assertRejected(withLength(-1), "header: length 18446744073709551615 is over the limit of 100000000 bytes");
        assertRejected(withLength(100_000_001), "header: length 100000001 is over the limit of 100000000 bytes");
        assertRejected(withLength(3), "header: length 3 exceeds the size of the file, 10 bytes");
    }

    @Test
    void otherEncodings() {
        assertRejected(RawFile.bytes("{}".getBytes(StandardCharsets.UTF_16LE), 0),
                "does not end with '}' and spaces");
        assertRejected(RawFile.bytes(new byte[] {'{', '"', (byte) 0xc0, (byte) 0x80, '"', ':', '1', '}'}, 0),
                "header: is not UTF-8");
        assertRejected(RawFile.bytes(new byte[] {'{', '"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"', '}'}, 0),
                "header: is not UTF-8");
    }

    @Test
    void deepNestingIsRejected() {
        assertRejected(RawFile.bytes("{\"a\":" + "[".repeat(5_000_000) + "}", 0), "tensor \"a\": must be an object");
        assertRejected(RawFile.bytes("{\"a\":".repeat(1_000_000) + "}", 0),
                "tensor \"a\": has the unknown field \"a\"");
    }

    @Test
    void namesInMessagesAreTruncatedAndEscaped() {
        assertRejected(RawFile.bytes("{\"" + "n".repeat(100_000) + "\":3}", 0),
                "header: is not valid JSON: Name length");
        String message = assertRejected(RawFile.bytes("{\"a\\nb" + "n".repeat(9000) + "\":3}", 0),
                "tensor \"a\\u000ab");
        assertTrue(message.length() < 400, message);
    }

    /** A header of the maximum size is rejected for its content, not its size. */
    @Test
    void largestHeader(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("m");
        byte[] start = withLength(100_000_000);
        try (SeekableByteChannel sparse = Files.newByteChannel(
                Files.write(file, start), StandardOpenOption.WRITE)) {
            sparse.position(8 + 100_000_000 - 1);
            sparse.write(ByteBuffer.wrap(new byte[] {'}'}));
        }
        String message = assertThrows(ModelFormatException.class, () -> Safetensors.open(file)).getMessage();
        assertTrue(message.startsWith(file + ": header: is not valid JSON: Illegal character"), message);
    }

    private static byte[] withLength(long length) {
        return ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN).putLong(length)
                .put((byte) '{').put((byte) '}').array();
    }

    private static String assertRejected(byte[] bytes, String rule) {
        String message = assertThrows(ModelFormatException.class,
                () -> new SafetensorsHeader(FILE, MemorySegment.ofArray(bytes))).getMessage();
        assertTrue(message.startsWith("m: ") && message.contains(rule), message);
        assertEquals(1, message.lines().count(), message);
        return message;
    }
}
