package headscope;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** The demo model; the weights of the first layer's queries, keys and values are the largest BF16 number. */
public final class OverflowingModel {
    private OverflowingModel() {}

    /** Writes the checkpoint into a new folder. */
    public static void write(Path model) throws IOException {
        Files.createDirectory(model);
        for (String name : List.of("config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json")) {
            Files.copy(Path.of("models/demo", name), model.resolve(name));
        }
        byte[] file = Files.readAllBytes(Path.of("models/demo/model.safetensors"));
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int header = Math.toIntExact(bytes.getLong(0));
        JsonNode offsets = new ObjectMapper().readTree(Arrays.copyOfRange(file, 8, 8 + header))
                .at("/transformer.h.0.attn.c_attn.weight/data_offsets");
        for (int at = 8 + header + offsets.get(0).intValue(); at < 8 + header + offsets.get(1).intValue(); at += 2) {
            bytes.putShort(at, (short) 0x7f7f);
        }
        Files.write(model.resolve("model.safetensors"), file);
    }
}
