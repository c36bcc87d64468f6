package headscope.tensor;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes safetensors files byte by byte, valid or invalid. */
final class RawFile {
    private RawFile() {}

    /** Header length, header, and data bytes 0, 1, 2, ... */
    static byte[] bytes(String json, int dataBytes) {
        return bytes(json.getBytes(StandardCharsets.UTF_8), dataBytes);
    }

    static byte[] bytes(byte[] json, int dataBytes) {
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json);
        for (int i = 0; i < dataBytes; i++) {
            bytes.put((byte) i);
        }
        return bytes.array();
    }

    static Path write(Path file, String json, int dataBytes) throws IOException {
        return Files.write(file, bytes(json, dataBytes));
    }

    /** A file with one F32 tensor of one element. */
    static Path writeOneTensor(Path file, String name) throws IOException {
        return write(file, "{" + entry(name, "F32", "[1]", 0, 4) + "}", 4);
    }

    /** One entry of a header. */
    static String entry(String name, String dtype, String shape, long begin, long end) {
        return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                .formatted(name, dtype, shape, begin, end);
    }
}
