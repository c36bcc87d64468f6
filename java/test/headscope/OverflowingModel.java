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

/** The demo model; some of its weights are the largest BF16 number. */
public final class OverflowingModel {
    private static final ObjectMapper JSON = new ObjectMapper();

    private OverflowingModel() {}

    /** The weights of the first layer's queries, keys and values: every text overflows. Writes into a new folder. */
    public static void write(Path model) throws IOException {
        write(model, "/transformer.h.0.attn.c_attn.weight", 0, Integer.MAX_VALUE);
    }

    /** A word's embedding: texts with this word overflow. Writes into a new folder. */
    public static void write(Path model, String word) throws IOException {
        int token = JSON.readTree(Path.of("models/demo/tokenizer.json").toFile()).at("/model/vocab").get(word).intValue();
        write(model, "/transformer.wte.weight", token, token + 1);
    }

    /** @param end the row after the last one of the tensor that is changed, or more than it has */
    private static void write(Path model, String tensor, int first, int end) throws IOException {
        Files.createDirectory(model);
        for (String name : List.of("config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json")) {
            Files.copy(Path.of("models/demo", name), model.resolve(name));
        }
        byte[] file = Files.readAllBytes(Path.of("models/demo/model.safetensors"));
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int header = Math.toIntExact(bytes.getLong(0));
        JsonNode described = JSON.readTree(Arrays.copyOfRange(file, 8, 8 + header)).at(tensor);
        int start = 8 + header + described.at("/data_offsets/0").intValue();
        int columns = described.at("/shape/1").intValue();
        for (int i = first * columns; i < Math.min(end, described.at("/shape/0").intValue()) * columns; i++) {
            bytes.putShort(start + i * Short.BYTES, (short) 0x7f7f);
        }
        Files.write(model.resolve("model.safetensors"), file);
    }
}
