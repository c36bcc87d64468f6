package headscope.tensor;

import static headscope.tensor.RawFile.entry;
import static java.nio.file.StandardOpenOption.WRITE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class StoredTensorTest {
    @TempDir
    private Path folder;

    /** All 65536 values, at an odd offset so that no element is aligned. */
    @Test
    void everyF16AndBF16() throws IOException {
        ByteBuffer data = ByteBuffer.allocate(1 + 2 * 65536).order(ByteOrder.LITTLE_ENDIAN).put((byte) 9);
        for (int i = 0; i < 65536; i++) {
            data.putShort((short) i);
        }
        float[] f16 = read("F16", 65536, data.array());
        float[] bf16 = read("BF16", 65536, data.array());
        for (int i = 0; i < 65536; i++) {
            assertEquals(half(i), f16[i], "F16 0x%04x".formatted(i));
            assertEquals(i << 16, Float.floatToRawIntBits(bf16[i]), "BF16 0x%04x".formatted(i));
        }
    }

    /** Pages behind the new end raise SIGBUS; in the last page, zeros would be read. */
    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "BF16", "F16", "F64", "I64", "I32"})
    void fileThatIsTruncatedWhileItIsOpenIsReported(DType dtype) throws IOException {
        int count = 40_000;
        int bytes = count * dtype.bytes;
        for (long left : new long[] {200, bytes - 1}) {
            Path file = RawFile.write(folder.resolve("x.safetensors"),
                    "{" + entry("x", dtype.name(), "[" + count + "]", 0, bytes) + "}", bytes);
            long whole = Files.size(file);
            try (Safetensors stored = Safetensors.open(file); FileChannel channel = FileChannel.open(file, WRITE)) {
                channel.truncate(left);
                StoredTensor tensor = stored.get("x");
                boolean integer = dtype == DType.I64 || dtype == DType.I32;
                String message = assertThrows(ModelFormatException.class,
                        integer ? tensor::longs : tensor::floats).getMessage();
                assertEquals("%s: shrank from %d to %d bytes while it was being read; restore the file and try again"
                        .formatted(file, whole, left), message);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 2047, 2048, 2049, 5000})
    void lengthsAroundTheBlockSize(int count) throws IOException {
        Random random = new Random(count);
        double[] values = random.doubles(count, -1e30, 1e30).toArray();
        ByteBuffer f64 = ByteBuffer.allocate(1 + 8 * count).order(ByteOrder.LITTLE_ENDIAN).put((byte) 9);
        ByteBuffer f32 = ByteBuffer.allocate(1 + 4 * count).order(ByteOrder.LITTLE_ENDIAN).put((byte) 9);
        ByteBuffer bf16 = ByteBuffer.allocate(1 + 2 * count).order(ByteOrder.LITTLE_ENDIAN).put((byte) 9);
        float[] expected = new float[count];
        float[] truncated = new float[count];
        for (int i = 0; i < count; i++) {
            expected[i] = (float) values[i];
            int bits = Float.floatToIntBits(expected[i]);
            truncated[i] = Float.intBitsToFloat(bits & 0xffff0000);
            f64.putDouble(values[i]);
            f32.putFloat(expected[i]);
            bf16.putShort((short) (bits >> 16));
        }
        assertArrayEquals(expected, read("F64", count, f64.array()));
        assertArrayEquals(expected, read("F32", count, f32.array()));
        assertArrayEquals(truncated, read("BF16", count, bf16.array()));
    }

    @Test
    void copiesToNativeMemoryOfExactSize() throws IOException {
        try (Safetensors stored = open("F32", 2, new byte[9]); Arena arena = Arena.ofConfined()) {
            StoredTensor tensor = stored.get("x");
            MemorySegment odd = arena.allocate(9).asSlice(1);
            odd.fill((byte) 1);
            tensor.copyTo(odd);
            assertEquals(0, odd.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 4));
            for (long size : new long[] {4, 12}) {
                MemorySegment wrong = arena.allocate(size);
                String message = assertThrows(IllegalArgumentException.class,
                        () -> tensor.copyTo(wrong)).getMessage();
                assertEquals("x [2] needs 8 bytes as fp32, not " + size, message);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"I64", "I32", "I16", "I8", "U8", "BOOL"})
    void integersCannotBeReadAsFloats(DType dtype) throws IOException {
        try (Safetensors stored = open(dtype.name(), 1, new byte[1 + dtype.bytes])) {
            String message = assertThrows(ModelFormatException.class,
                    () -> stored.get("x").floats()).getMessage();
            assertTrue(message.endsWith("m: tensor \"x\": dtype " + dtype
                    + " cannot be read here; supported are F32, F16, BF16, F64"), message);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F64", "F32", "F16", "BF16", "I16", "I8", "U8", "BOOL"})
    void otherTypesCannotBeReadAsLongs(DType dtype) throws IOException {
        try (Safetensors stored = open(dtype.name(), 1, new byte[1 + dtype.bytes])) {
            String message = assertThrows(ModelFormatException.class,
                    () -> stored.get("x").longs()).getMessage();
            assertTrue(message.endsWith("dtype " + dtype + " cannot be read here; supported are I64, I32"), message);
        }
    }

    @Test
    void bytesAreReadOnlyAndShapeIsACopy() throws IOException {
        try (Safetensors stored = open("U8", 3, new byte[] {9, 1, 2, 3})) {
            StoredTensor tensor = stored.get("x");
            tensor.shape()[0] = 7;
            assertArrayEquals(new long[] {3}, tensor.shape());
            assertArrayEquals(new byte[] {1, 2, 3}, tensor.bytes().toArray(ValueLayout.JAVA_BYTE));
            assertTrue(tensor.bytes().isReadOnly());
            assertEquals("x U8 [3]", tensor.toString());
        }
    }

    /** IEEE 754 binary16, by its definition. */
    private static float half(int bits) {
        int exponent = bits >> 10 & 31;
        int fraction = bits & 1023;
        double magnitude = switch (exponent) {
            case 0 -> fraction * 0x1p-24;
            case 31 -> fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
            default -> (1024 + fraction) * Math.pow(2, exponent - 25);
        };
        return (float) (bits >> 15 == 0 ? magnitude : -magnitude);
    }

    private float[] read(String dtype, int count, byte[] data) throws IOException {
        try (Safetensors stored = open(dtype, count, data)) {
            return stored.get("x").floats();
        }
    }

    /** Tensor "x", after a tensor "pad" of one byte. */
    private Safetensors open(String dtype, int count, byte[] data) throws IOException {
        String json = "{" + entry("pad", "U8", "[1]", 0, 1) + ","
                + entry("x", dtype, "[" + count + "]", 1, data.length) + "}";
        byte[] bytes = RawFile.bytes(json, data.length);
        System.arraycopy(data, 0, bytes, bytes.length - data.length, data.length);
        return Safetensors.open(Files.write(folder.resolve("m"), bytes));
    }
}
