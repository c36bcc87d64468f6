package headscope.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
    @TempDir
    private Path folder;

    @Test
    void readsNamesShapesAndValues() throws Exception {
        byte[] json = "{\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} ".getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + 8).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json).putFloat(1.5f).putFloat(-2);
        Path file = Files.write(folder.resolve("a.safetensors"), bytes.array());
        try (Safetensors stored = Safetensors.open(file)) {
            assertEquals(Set.of("b"), stored.names());
            assertEquals(-2, stored.get("b").floats()[1]);
        }
    }
}
