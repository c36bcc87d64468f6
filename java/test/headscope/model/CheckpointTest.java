package headscope.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.backend.Precision;
import headscope.model.Fixtures.Raw;
import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Model folders whose files contradict each other, or come from another program, are rejected on opening. */
class CheckpointTest {
    @TempDir
    private Path folder;

    private void assertRejected(String start) {
        String message = assertThrows(ModelFormatException.class, () -> Checkpoint.open(folder).close()).getMessage();
        assertTrue(message.startsWith(start.startsWith(":") ? folder + start : folder.resolve(start).toString()), message);
        assertEquals(1, message.lines().count(), message);
    }

    @Test
    void folderAroundTheModelIsNamed() throws IOException {
        assertRejected(": contains no config.json; give a model folder");
        Files.createDirectories(folder.resolve("other"));
        Files.createFile(Files.createDirectories(folder.resolve("inner model")).resolve("config.json"));
        assertRejected(": contains no config.json; give the folder \"inner model\" in it");
        Files.createFile(folder.resolve("other/config.json"));
        assertRejected(": contains no config.json; give a model folder");
    }

    private record Size(String fixture, String rule, Consumer<ObjectNode> change) {
        @Override
        public String toString() {
            return fixture + ": " + rule;
        }
    }

    static Stream<Size> sizes() {
        return Stream.of(
                new Size("gpt2", "config.json: states 100 layers, but the weights have 3", config -> config.put("n_layer", 100)),
                new Size("gpt2", "config.json: states 2 layers, but the weights have 3", config -> config.put("n_layer", 2)),
                new Size("gpt2", "config.json: n_layer: 2147483647 layers; at most 10000 are supported",
                        config -> config.put("n_layer", Integer.MAX_VALUE)),
                new Size("llama", "config.json: num_hidden_layers: 10001 layers; at most 10000 are supported",
                        config -> config.put("num_hidden_layers", 10_001)),
                new Size("gpt2", "model.safetensors: tensor \"transformer.wte.weight\": has shape",
                        config -> config.put("vocab_size", 2_000_000_000)),
                new Size("gpt2", "model.safetensors: tensor \"transformer.wpe.weight\": has shape",
                        config -> config.put("n_positions", 2_000_000_000)),
                new Size("llama", "model.safetensors: tensor \"model.embed_tokens.weight\": has shape",
                        config -> config.put("hidden_size", 6_000_000)),
                new Size("llama", "model.safetensors: tensor \"model.layers.0.self_attn.q_proj.weight\": has shape",
                        config -> config.put("head_dim", 1 << 30)),
                new Size("llama", "model.safetensors: tensor \"model.layers.0.mlp.gate_proj.weight\": has shape",
                        config -> config.put("intermediate_size", 2_000_000_000)),
                new Size("phi3", "model.safetensors: tensor \"model.layers.0.mlp.gate_up_proj.weight\": has shape",
                        config -> config.put("intermediate_size", 2_000_000_000)),
                new Size("gpt-neox", "model.safetensors: tensor \"gpt_neox.layers.0.mlp.dense_h_to_4h.weight\": has shape",
                        config -> config.put("intermediate_size", 1)),
                new Size("bert", "model.safetensors: tensor \"bert.embeddings.position_embeddings.weight\": has shape",
                        config -> config.put("max_position_embeddings", 1)),
                new Size("gpt-oss", "model.safetensors: tensor \"model.layers.0.mlp.router.weight\": has shape",
                        config -> config.put("num_local_experts", 2_000_000_000)),
                new Size("gpt-oss", "config.json: num_experts_per_tok: 1000 of ",
                        config -> config.put("num_experts_per_tok", 1000)),
                new Size("phi3", "config.json: rope_parameters.partial_rotary_factor: 1.0E9 of ",
                        config -> config.withObject("rope_parameters").put("partial_rotary_factor", 1e9)));
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void sizesAreComparedWithTheTensors(Size size) throws IOException {
        Fixtures.config(size.fixture(), folder, size.change());
        Files.copy(Fixtures.folder(size.fixture()).resolve("model.safetensors"), folder.resolve("model.safetensors"));
        assertRejected(size.rule());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            _orig_mod.model.norm.weight                 | has the prefix _orig_mod. of torch.compile: save
            module.model.norm.weight                    | has the prefix module. of DataParallel: save
            language_model.model.norm.weight            | belongs to a multimodal model: save
            model.language_model.norm.weight            | belongs to a multimodal model: save
            base_model.model.model.norm.weight          | belongs to an adapter (LoRA): merge
            model.layers.0.q_proj.lora_A.weight         | belongs to an adapter (LoRA): merge
            model.layers.0.q_proj.base_layer.weight     | belongs to an adapter (LoRA): merge
            bert.embeddings.LayerNorm.gamma             | has a name of TensorFlow: to rename
            """)
    void namesOfOtherProgramsAreExplained(String name, String rule) {
        Fixtures.weights("llama", folder, tensors -> tensors.put(name, Raw.f32(new long[] {1}, 1)));
        assertRejected("model.safetensors: tensor \"%s\": %s".formatted(name, rule));
    }

    @ParameterizedTest
    @CsvSource({"adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"})
    void adaptersBesideTheModel(String name) throws IOException {
        Fixtures.weights("llama", folder, tensors -> {});
        Files.createFile(folder.resolve(name));
        assertRejected(name + ": is an adapter (LoRA), which is not applied: merge it into the model");
    }

    @Test
    void adaptersAlone() throws IOException {
        Files.createFile(folder.resolve("adapter_config.json"));
        String message = assertThrows(ModelFormatException.class, () -> Checkpoint.open(folder)).getMessage();
        assertTrue(message.startsWith(folder + ": contains only an adapter (LoRA); merge it"), message);
    }

    @Test
    void weightsInAnotherFormat() throws IOException {
        Fixtures.config("llama", folder, same -> {});
        Files.createFile(folder.resolve("pytorch_model.bin"));
        String message = assertThrows(ModelFormatException.class, () -> Checkpoint.open(folder)).getMessage();
        assertTrue(message.contains(", but pytorch_model.bin: load the model with transformers and save it"), message);
    }

    /** As after git clone without git-lfs. */
    @ParameterizedTest
    @CsvSource({"config.json", "model.safetensors", "generation_config.json"})
    void pointersOfGitLfs(String name) throws IOException {
        Fixtures.weights("llama", folder, tensors -> {});
        Files.writeString(folder.resolve(name), """
                version https://git-lfs.github.com/spec/v1
                oid sha256:c4b3aa3e1b9b0a7d4f2d3a5e7e1d5a0b5a8c0a4a2f4b8f6a3c9c7d2e1f0a9b8c
                size 353080
                """);
        assertRejected(name + ": is a Git LFS pointer, not the file itself; run \"git lfs pull\"");
    }

    @ParameterizedTest
    @CsvSource({"config.json", "model.safetensors", "model.safetensors.index.json", "generation_config.json"})
    void devicesAndPipesAreNotRead(String name) throws IOException {
        if (name.contains("index")) {
            Fixtures.config("llama", folder, same -> {});
        } else {
            Fixtures.weights("llama", folder, tensors -> {});
        }
        Files.deleteIfExists(folder.resolve(name));
        Files.createSymbolicLink(folder.resolve(name), Path.of("/dev/zero"));
        assertRejected(name + ": is not a regular file but a pipe, a socket or a device");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"model_type": "llama"} {}                  | has more than one JSON value (line 1, column 25)
            {"model_type": "llama"} x                   | is not JSON (line 1, column
            {"model_type": "llama", "model_type": "x"}  | has a key twice: 'model_type' (line 1, column
            {"model_type": "\\ud800"}                   | has an unpaired surrogate in "model_type" (line 1, column
            {"model_type": "\\u001b[31m\\u202e"}        | model_type: "\\u001b[31m\\u202e" is not supported
            """)
    void malformedSettings(String config, String rule) throws IOException {
        Files.writeString(folder.resolve("config.json"), config);
        assertRejected("config.json: " + rule);
    }

    @Test
    void limitsOfSettings() throws IOException {
        Path file = folder.resolve("config.json");
        Files.writeString(file, "{\"a\": " + "[".repeat(1001) + "]".repeat(1001) + "}");
        assertRejected("config.json: is nested more than 32 levels deep (line 1, column ");
        Files.writeString(file, "{\"a\": " + "1".repeat(1001) + "}");
        assertRejected("config.json: has a number of more than 100 digits (line 1, column ");
        Files.writeString(file, "{\"" + "a".repeat(100_000) + "\": 1}");
        assertRejected("config.json: has a key of more than 10000 characters (line 1, column ");
        Files.write(file, new byte[(16 << 20) + 1]);
        assertRejected("config.json: is over the limit of 16 MiB");
        Files.write(file, new byte[] {(byte) 0xff, (byte) 0xfe, '{', 0});
        assertRejected("config.json: is UTF-16; save it as UTF-8");
    }

    @Test
    void aByteOrderMarkIsSkipped() throws IOException {
        Fixtures.weights("llama", folder, tensors -> {});
        Path file = folder.resolve("config.json");
        Files.writeString(file, "\ufeff" + Files.readString(file));
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertEquals(Family.LLAMA, checkpoint.config().family());
        }
    }

    /** As {@code _get_dtype} of transformers 5.18, but for fp64, in which no product is computed. */
    @ParameterizedTest
    @CsvSource({
        "bfloat16, , BF16", ", bfloat16, BF16", "float16, bfloat16, F16", "float32, , F32", "float64, , F32", "half, , F16",
        ", , BF16"
    })
    void precision(String dtype, String formerly, Precision expected) {
        open(dtype, formerly, checkpoint -> assertEquals(expected, checkpoint.precision()));
    }

    /** Only --dtype auto on a GPU asks for it. */
    @Test
    void unknownPrecision() {
        open("float8_e4m3fn", null, checkpoint -> assertEquals(folder.resolve("config.json")
                + ": dtype: \"float8_e4m3fn\" is not supported; choose --dtype f32, tf32, bf16 or f16",
                assertThrows(ModelFormatException.class, checkpoint::precision).getMessage()));
    }

    /** The first tensor by name is in bf16, the others are in fp32; integers do not count. */
    private void open(String dtype, String formerly, Consumer<Checkpoint> check) {
        Fixtures.weights("llama", folder, tensors -> {
            tensors.put("lm_head.weight", Raw.halves(DType.BF16, tensors.get("lm_head.weight").shape(),
                    new short[tensors.get("lm_head.weight").floats().length]));
            tensors.put("a.inv_freq", new Raw(DType.I64, new long[] {1}, new byte[8]));
        });
        Fixtures.config("llama", folder, config -> {
            config.put("dtype", dtype);
            config.put("torch_dtype", formerly);
        });
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            check.accept(checkpoint);
        }
    }
}
