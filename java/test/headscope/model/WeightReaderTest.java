package headscope.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.backend.Backend;
import headscope.backend.DeviceChoice;
import headscope.backend.Precision;
import headscope.model.Fixtures.Raw;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights that do not match config.json are rejected; half precision is supported. */
class WeightReaderTest {
    private static final int[] IDS = {1, 17, 42, 5, 90, 33};

    @TempDir
    private Path folder;

    /** The message is one line with folder and tensor, and no memory is leaked. */
    private void assertRejected(String fixture, String tensor, String rule, Consumer<Map<String, Raw>> change) {
        Path changed = Fixtures.weights(fixture, folder, change);
        try (Backend backend = Backend.open("cpu")) {
            String message = assertThrows(ModelFormatException.class, () -> load(changed, backend)).getMessage();
            assertTrue(message.contains("tensor \"" + tensor + "\": " + rule), message);
            assertTrue(message.startsWith(folder.toString()), message);
            assertEquals(1, message.lines().count(), message);
            assertEquals(0, backend.liveBytes());
        }
    }

    private static void load(Path folder, Backend backend) {
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            new Transformer(checkpoint, backend).close();
        }
    }

    @Test
    void missingTensors() {
        String name = "transformer.h.1.mlp.c_proj.weight";
        assertRejected("gpt2", name, "no such tensor", tensors -> tensors.remove(name));
        String norm = "model.layers.2.post_attention_layernorm.weight";
        assertRejected("llama", norm, "no such tensor", tensors -> tensors.remove(norm));
    }

    /** The first in the order of reading, the number, and a few more names. */
    @Test
    void severalMissingTensors() {
        assertRejected("gpt2", "transformer.h.1.mlp.c_proj.weight",
                "no such tensor (missing tensors: 2, also \"transformer.ln_f.bias\")", tensors -> {
                    tensors.remove("transformer.ln_f.bias");
                    tensors.remove("transformer.h.1.mlp.c_proj.weight");
                });
        String layer = "model.layers.1.";
        assertRejected("llama", layer + "self_attn.o_proj.weight", ("no such tensor (missing tensors: 9, also"
                + " \"%sinput_layernorm.weight\", \"%spost_attention_layernorm.weight\", \"%sself_attn.q_proj.weight\", ...)")
                .formatted(layer, layer, layer), tensors -> tensors.keySet().removeIf(name -> name.startsWith(layer)));
        for (String fixture : List.of("bert", "gpt-neox", "gpt-oss", "phi3")) {
            assertAllMissing(fixture);
        }
    }

    /** Without any tensor of the first layer, exactly these are missing. */
    private void assertAllMissing(String fixture) {
        int[] removed = new int[1];
        Path changed = Fixtures.weights(fixture, folder.resolve(fixture), tensors -> {
            int before = tensors.size();
            tensors.keySet().removeIf(name -> name.matches(".*\\.layers?\\.0\\..*"));
            removed[0] = before - tensors.size();
        });
        try (Backend backend = Backend.open("cpu")) {
            String message = assertThrows(ModelFormatException.class, () -> load(changed, backend)).getMessage();
            assertTrue(message.contains("no such tensor (missing tensors: %d, also ".formatted(removed[0])), message);
        }
    }

    @Test
    void otherShapes() {
        String name = "model.layers.0.self_attn.q_proj.weight";
        assertRejected("llama", name, "has shape [48, 47], but config.json requires [48, 48]",
                tensors -> tensors.put(name, Raw.f32(new long[] {48, 47}, new float[48 * 47])));
        String value = "model.layers.1.self_attn.v_proj.weight";
        assertRejected("llama", value, "has shape [8, 48], but config.json requires [16, 48]",
                tensors -> tensors.put(value, Raw.f32(new long[] {8, 48}, new float[8 * 48])));
        String fused = "transformer.h.0.attn.c_attn.weight";
        assertRejected("gpt2", fused, "has shape [144, 48], but config.json requires [48, 144]",
                tensors -> tensors.put(fused, Raw.f32(new long[] {144, 48}, new float[144 * 48])));
    }

    @Test
    void unusedTensors() {
        assertRejected("gpt2", "transformer.h.0.attn.extra",
                "is not part of a gpt2 model with this config.json (unused tensors: 1)",
                tensors -> tensors.put("transformer.h.0.attn.extra", Raw.f32(new long[] {1}, 1)));
        assertRejected("llama", "model.layers.2.mlp.extra_proj.weight",
                "is not part of a llama model with this config.json (unused tensors: 2, also \"z\")",
                tensors -> {
                    tensors.put("model.layers.2.mlp.extra_proj.weight", Raw.f32(new long[] {1}, 1));
                    tensors.put("z", Raw.f32(new long[] {1}, 1));
                });
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void nonFiniteWeights(float value) {
        String name = "transformer.h.2.ln_1.weight";
        assertRejected("gpt2", name, "element 3 is " + value + "; the weights are damaged",
                tensors -> floats(tensors.get(name)).put(3, value));
    }

    /** In every type, and by its place in the file where the order of use is another. */
    @ParameterizedTest
    @EnumSource(names = {"F64", "F32", "F16", "BF16"})
    void nonFiniteWeightsOfEveryType(DType dtype) {
        Map<String, String> tensors = Map.of(
                "gpt2", "transformer.h.1.attn.c_attn.weight", "gpt-neox", "gpt_neox.layers.1.attention.query_key_value.weight",
                "gpt-oss", "model.layers.1.mlp.experts.gate_up_proj", "gemma3", "model.layers.1.input_layernorm.weight",
                "llama", "model.embed_tokens.weight");
        tensors.forEach((fixture, name) -> assertRejected(fixture, name, "element 29 is NaN; the weights are damaged", all -> {
            floats(all.get(name)).put(29, Float.NaN).put(31, Float.NEGATIVE_INFINITY);
            all.put(name, as(dtype, all.get(name)));
        }));
    }

    private static Raw as(DType dtype, Raw tensor) {
        if (dtype == DType.F32) {
            return tensor;
        }
        if (dtype != DType.F64) {
            return Raw.halves(dtype, tensor.shape(), halves(dtype, tensor));
        }
        ByteBuffer doubles = ByteBuffer.allocate(2 * tensor.bytes().length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : tensor.floats()) {
            doubles.putDouble(value);
        }
        return new Raw(dtype, tensor.shape(), doubles.array());
    }

    /** The first one in the file is named, whichever thread finds one first. */
    @Test
    void severalNonFiniteWeights() {
        for (int i = 0; i < 20; i++) {
            assertRejected("llama", "model.layers.0.mlp.up_proj.weight", "element 5 is Infinity", tensors -> tensors.forEach(
                    (name, tensor) -> {
                        if (name.compareTo("model.layers.0.mlp.up_proj.weight") >= 0) {
                            floats(tensor).put(5, Float.POSITIVE_INFINITY);
                        }
                    }));
        }
    }

    /** A tensor that is read in several pieces. */
    @Test
    void manyElements() throws IOException {
        int words = 100_000;
        float[] values = new float[words * 48];
        for (int i = 0; i < values.length; i++) {
            values[i] = i % 1009 - 500;
        }
        Consumer<Map<String, Raw>> large = tensors -> {
            tensors.put("model.embed_tokens.weight", Raw.f32(new long[] {words, 48}, values));
            tensors.put("lm_head.weight", Raw.f32(new long[] {words, 48}, values));
        };
        Path model = Fixtures.weights("llama", folder.resolve("large"), large);
        change(model, config -> config.put("vocab_size", words));
        List<Buffer> buffers = new ArrayList<>();
        try (Checkpoint checkpoint = Checkpoint.open(model); Backend backend = Backend.open("cpu")) {
            Weights weights = WeightReader.read(checkpoint, backend, buffers);
            assertArrayEquals(values, backend.download(weights.embedding()));
            assertArrayEquals(values, backend.download(weights.head().projection().weight()));
            buffers.forEach(Buffer::close);
        }
        values[4_444_444] = Float.NaN;
        Path damaged = Fixtures.weights("llama", folder.resolve("damaged"), large);
        change(damaged, config -> config.put("vocab_size", words));
        try (Backend backend = Backend.open("cpu")) {
            String message = assertThrows(ModelFormatException.class, () -> load(damaged, backend)).getMessage();
            assertTrue(message.endsWith("\"lm_head.weight\": element 4444444 is NaN; the weights are damaged"), message);
        }
    }

    @Test
    void doublePrecision() {
        for (String fixture : List.of("gpt2", "gpt-neox", "gpt-oss", "gemma3")) {
            assertArrayEquals(logits(Fixtures.folder(fixture)), logits(Fixtures.weights(fixture, folder.resolve(fixture),
                    tensors -> tensors.replaceAll((name, tensor) -> as(DType.F64, tensor)))), fixture);
        }
    }

    @Test
    void filesThatShrinkWhileTheyAreRead() throws IOException {
        Path model = Fixtures.weights("llama", folder, same -> {});
        Path file = model.resolve("model.safetensors");
        long size = Files.size(file);
        try (Checkpoint checkpoint = Checkpoint.open(model); Backend backend = Backend.open("cpu")) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(size / 2);
            }
            assertEquals("%s: shrank from %d to %d bytes while it was being read; restore the file and try again"
                    .formatted(file, size, size / 2), assertThrows(
                            ModelFormatException.class, () -> new Transformer(checkpoint, backend)).getMessage());
            assertEquals(0, backend.liveBytes());
        }
    }

    @Test
    void integerWeights() {
        String name = "transformer.ln_f.bias";
        assertRejected("gpt2", name, "dtype I64 cannot be read here; supported are F32, F16, BF16, F64",
                tensors -> tensors.put(name, new Raw(DType.I64, new long[] {48}, new byte[48 * 8])));
    }

    /** A tied head is the embedding, but the file may have a copy of it, or a head with other values. */
    @Test
    void tiedHeads() throws IOException {
        float[] expected = logits(Fixtures.folder("llama"));
        Path own = Fixtures.weights("llama", folder.resolve("own"), same -> {});
        change(own, config -> config.put("tie_word_embeddings", true));
        assertArrayEquals(expected, logits(own));

        float[] tied = logits(Fixtures.folder("llama3-rope-tied"));
        assertArrayEquals(tied, logits(Fixtures.weights("llama3-rope-tied", folder.resolve("copy"),
                tensors -> tensors.put("lm_head.weight", tensors.get("model.embed_tokens.weight")))));
        assertRejected("llama", "lm_head.weight", "no such tensor", tensors -> tensors.remove("lm_head.weight"));
    }

    /** Biases of the file are used only if config.json requires them. */
    @Test
    void biasesThatAreSwitchedOff() throws IOException {
        float[] expected = logits(Fixtures.folder("llama"));
        Path biased = Fixtures.weights("llama", folder.resolve("biased"), tensors -> {
            for (int layer = 0; layer < 3; layer++) {
                String path = "model.layers." + layer;
                putBias(tensors, path + ".self_attn.q_proj.bias", 48);
                putBias(tensors, path + ".self_attn.k_proj.bias", 16);
                putBias(tensors, path + ".self_attn.v_proj.bias", 16);
                putBias(tensors, path + ".self_attn.o_proj.bias", 48);
                putBias(tensors, path + ".mlp.gate_proj.bias", 88);
                putBias(tensors, path + ".mlp.up_proj.bias", 88);
                putBias(tensors, path + ".mlp.down_proj.bias", 48);
            }
        });
        assertArrayEquals(expected, logits(biased));
        float[] ofAttention = logits(change(biased, config -> config.put("attention_bias", true)));
        assertFalse(Arrays.equals(expected, ofAttention));
        float[] ofBoth = logits(change(biased, config -> config.put("mlp_bias", true)));
        assertFalse(Arrays.equals(ofAttention, ofBoth));
        assertRejected("mistral-window", "model.layers.0.self_attn.q_proj.bias", "is not part of a mistral model",
                tensors -> putBias(tensors, "model.layers.0.self_attn.q_proj.bias", 96));
    }

    private static void putBias(Map<String, Raw> tensors, String name, int width) {
        float[] values = new float[width];
        for (int i = 0; i < width; i++) {
            values[i] = (i % 7 - 3) / 4f;
        }
        tensors.put(name, Raw.f32(new long[] {width}, values));
    }

    private static Path change(Path model, Consumer<ObjectNode> change) throws IOException {
        Path file = model.resolve("config.json");
        ObjectNode config = (ObjectNode) new ObjectMapper().readTree(Files.readString(file));
        change.accept(config);
        Files.writeString(file, config.toString());
        return model;
    }

    @Test
    void normsOfAnotherWidth() {
        String name = "model.layers.1.input_layernorm.weight";
        assertRejected("llama", name, "has shape [47], but config.json requires [48]",
                tensors -> tensors.put(name, Raw.f32(new long[] {47}, new float[47])));
    }

    /** Other libraries store such buffers next to the weights; they are not parameters. */
    @Test
    void buffersAreIgnored() {
        float[] expected = logits(Fixtures.folder("gpt2"));
        float[] found = logits(Fixtures.weights("gpt2", folder, tensors -> {
            tensors.put("transformer.h.0.attn.bias", Raw.f32(new long[] {1}, Float.NaN));
            tensors.put("transformer.h.0.attn.masked_bias", Raw.f32(new long[] {1}, Float.NaN));
        }));
        assertArrayEquals(expected, found);
    }

    /** Equals an fp32 file of the rounded weights bit by bit, and is close to the exact weights. */
    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void halfPrecision(DType dtype) {
        for (String fixture : new String[] {"gpt2", "llama", "gemma3"}) {
            float[] rounded = logits(Fixtures.weights(fixture, folder.resolve("rounded"), tensors -> tensors.replaceAll(
                    (name, tensor) -> Raw.f32(tensor.shape(), widened(halves(dtype, tensor), dtype)))));
            float[] half = logits(Fixtures.weights(fixture, folder.resolve("half"), tensors ->
                    tensors.replaceAll((name, tensor) -> Raw.halves(dtype, tensor.shape(), halves(dtype, tensor)))));
            assertArrayEquals(rounded, half, fixture);
            float[] exact = logits(Fixtures.folder(fixture));
            double difference = 0;
            double size = 0;
            for (int i = 0; i < exact.length; i++) {
                difference += Math.pow(exact[i] - half[i], 2);
                size += Math.pow(exact[i], 2);
            }
            // Weights are rounded by 2^-9 (BF16) or 2^-12 (F16); a few dozen products in a row leave a tenth at most.
            assertTrue(difference > 0 && difference < 0.01 * size, fixture + ": " + Math.sqrt(difference / size));
        }
    }

    /** Matrices of every layout stay in their type in memory on request, with the same logits; a model without any is rejected. */
    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void keptHalfPrecision(DType dtype) {
        for (String fixture : new String[] {"gpt2", "gpt-neox", "llama3-rope-tied", "phi3", "gpt-oss", "bert"}) {
            Path half = Fixtures.weights(fixture, folder.resolve(fixture), tensors -> tensors.replaceAll((name, tensor) ->
                    name.endsWith("router.weight") ? tensor : Raw.halves(dtype, tensor.shape(), halves(dtype, tensor))));
            long[] wide = new long[1];
            long[] kept = new long[1];
            assertArrayEquals(logits(half, DType.F32, wide), logits(half, dtype, kept), fixture);
            assertTrue(kept[0] < 0.7 * wide[0], fixture + ": " + kept[0] + " bytes instead of " + wide[0]);
        }
        String message = assertThrows(ModelFormatException.class, () -> logits(Fixtures.folder("llama"), dtype, new long[1]))
                .getMessage();
        String name = dtype.name().toLowerCase(Locale.ROOT);
        assertTrue(message.endsWith("has no weights in %1$s: on the CPU, --dtype %1$s keeps weights as they are stored and rounds"
                .formatted(name) + " none; use --dtype f32"), message);
    }

    /** Tensors that are stored apart are read into their places in one matrix, without a copy. */
    @ParameterizedTest
    @ValueSource(strings = {"llama", "bert", "gpt-oss", "phi3"})
    void noMemoryBesideTheWeights(String fixture) {
        try (Checkpoint checkpoint = Checkpoint.open(Fixtures.folder(fixture)); Backend backend = Backend.open("cpu");
                Transformer model = new Transformer(checkpoint, backend)) {
            assertEquals(model.backend().liveBytes(), backend.peakBytes());
        }
    }

    /** Parts of one matrix that are stored in several types are widened together. */
    @Test
    void keptPartsOfSeveralTypes() {
        Path mixed = Fixtures.weights("llama", folder, tensors -> tensors.replaceAll((name, tensor) ->
                name.endsWith("k_proj.weight") || name.endsWith("up_proj.weight")
                        ? tensor : Raw.halves(DType.BF16, tensor.shape(), halves(DType.BF16, tensor))));
        assertArrayEquals(logits(mixed, DType.F32, new long[1]), logits(mixed, DType.BF16, new long[1]));
    }

    /** @param bytes receives the memory of the weights */
    private static float[] logits(Path model, DType kept, long[] bytes) {
        try (Checkpoint checkpoint = Checkpoint.open(model);
                Backend backend = Backend.open(
                        new DeviceChoice("cpu", Optional.of(Precision.valueOf(kept.name())), true), () -> Precision.F32, line -> {});
                Transformer transformer = new Transformer(checkpoint, backend)) {
            bytes[0] = backend.liveBytes();
            Tensor hidden = transformer.observe(new Batch(List.of(IDS)), LayerHook.NONE);
            return backend.download(transformer.logits(hidden));
        }
    }

    private static short[] halves(DType dtype, Raw tensor) {
        FloatBuffer values = floats(tensor);
        short[] halves = new short[values.limit()];
        for (int i = 0; i < halves.length; i++) {
            int bits = Float.floatToIntBits(values.get(i));
            // Round to nearest, ties to even.
            halves[i] = dtype == DType.F16
                    ? Float.floatToFloat16(values.get(i))
                    : (short) (bits + 0x7fff + (bits >> 16 & 1) >> 16);
        }
        return halves;
    }

    private static float[] widened(short[] halves, DType dtype) {
        float[] values = new float[halves.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = dtype == DType.F16 ? Float.float16ToFloat(halves[i]) : Float.intBitsToFloat(halves[i] << 16);
        }
        return values;
    }

    private static FloatBuffer floats(Raw tensor) {
        return ByteBuffer.wrap(tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    }

    private static float[] logits(Path folder) {
        try (LoadedModel loaded = LoadedModel.open(folder); Sequence sequence = loaded.model().sequence(IDS.length)) {
            Tensor hidden = loaded.model().forward(sequence, IDS, LayerHook.NONE);
            return loaded.backend().download(loaded.model().logits(hidden));
        }
    }
}
