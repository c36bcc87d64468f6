package headscope.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Unsupported settings are rejected by name; older and newer notations give the same model. */
class ConfigReaderTest {
    @TempDir
    private Path folder;

    private record Rejected(String fixture, String field, String rule, Consumer<ObjectNode> change) {
        @Override
        public String toString() {
            return fixture + ": " + field;
        }
    }

    private ModelConfig read(String fixture, Consumer<ObjectNode> change) {
        return ConfigReader.read(Fixtures.config(fixture, folder, change));
    }

    static Stream<Rejected> rejected() {
        return Stream.of(
                new Rejected("gpt2", "model_type", "\"gptj\" is not supported; supported are " + Family.all(),
                        config -> config.put("model_type", "gptj")),
                new Rejected("gpt2", "model_type", "is missing", config -> config.remove("model_type")),
                new Rejected("gpt2", "model_type", "is not a string", config -> config.put("model_type", 2)),
                new Rejected("llama", "quantization_config", "quantised weights are not supported; "
                        + "use the checkpoint in bfloat16, float16 or float32",
                        config -> config.putObject("quantization_config").put("bits", 4)),
                new Rejected("gpt2", "add_cross_attention", "cross-attention is not supported",
                        config -> config.put("add_cross_attention", true)),
                new Rejected("gpt2", "add_cross_attention", "is not true or false",
                        config -> config.put("add_cross_attention", "no")),
                new Rejected("gpt2", "n_head", "5 heads do not divide a width of 48", config -> config.put("n_head", 5)),
                new Rejected("gpt2", "n_embd", "must not be null", config -> config.putNull("n_embd")),
                new Rejected("gpt2", "n_layer", "is not a positive integer: -3", config -> config.put("n_layer", -3)),
                new Rejected("gpt2", "n_layer", "is not a positive integer: 0", config -> config.put("n_layer", 0)),
                new Rejected("gpt2", "n_layer", "is not a positive integer: 2.5", config -> config.put("n_layer", 2.5)),
                new Rejected("gpt2", "n_layer", "is not a positive integer: 5000000000",
                        config -> config.put("n_layer", 5_000_000_000L)),
                new Rejected("gpt2", "activation_function", "\"mish\" is not supported; supported are gelu, gelu_new, "
                        + "gelu_pytorch_tanh, gelu_fast, quick_gelu, silu, swish, relu",
                        config -> config.put("activation_function", "mish")),
                new Rejected("bert", "position_embedding_type", "\"relative_key\" is not supported; \"absolute\" is",
                        config -> config.put("position_embedding_type", "relative_key")),
                new Rejected("bert", "is_decoder", "BERT as a decoder is not supported",
                        config -> config.put("is_decoder", true)),
                new Rejected("gpt-neox", "num_attention_heads", "7 heads do not divide a width of 48",
                        config -> config.put("num_attention_heads", 7)),
                new Rejected("llama", "num_key_value_heads", "4 does not divide 6 heads",
                        config -> config.put("num_key_value_heads", 4)),
                new Rejected("llama", "rms_norm_eps", "must not be null", config -> config.putNull("rms_norm_eps")),
                new Rejected("llama", "rms_norm_eps", "is not a number >= 0: -1.0E-6",
                        config -> config.put("rms_norm_eps", -1e-6)),
                new Rejected("llama", "rms_norm_eps", "is not a number >= 0: \"small\"",
                        config -> config.put("rms_norm_eps", "small")),
                new Rejected("llama", "rope_parameters", "is not an object",
                        config -> config.put("rope_parameters", 3)),
                new Rejected("llama", "rope_parameters.rope_type",
                        "\"longrope\" is not supported; supported are default, linear, dynamic, llama3, yarn",
                        config -> config.withObject("rope_parameters").put("rope_type", "longrope")),
                new Rejected("llama", "rope_parameters.full_attention",
                        "is not supported: all layers of llama have the same rotation",
                        config -> config.putObject("rope_parameters").putObject("full_attention")),
                new Rejected("llama", "rope_parameters.partial_rotary_factor",
                        "0.5 of 8 elements of a head cannot be rotated",
                        config -> config.withObject("rope_parameters").put("rope_type", "linear").put("factor", 2)
                                .put("partial_rotary_factor", 0.5)),
                new Rejected("gpt-neox", "rope_parameters.partial_rotary_factor",
                        "1.0E9 of 12 elements of a head cannot be rotated",
                        config -> config.withObject("rope_parameters").put("partial_rotary_factor", 1e9)),
                new Rejected("phi3", "rope_scaling.rope_type",
                        "\"longrope\" is not supported; supported is default",
                        config -> {
                            config.remove("rope_parameters");
                            config.putObject("rope_scaling").put("type", "longrope");
                        }),
                new Rejected("llama", "rope_parameters.factor", "is missing",
                        config -> config.withObject("rope_parameters").put("rope_type", "linear")),
                new Rejected("llama3-rope-tied", "rope_parameters.low_freq_factor", "is missing",
                        config -> config.withObject("rope_parameters").remove("low_freq_factor")),
                new Rejected("mistral-window", "sliding_window", "is not an integer >= 0: -9",
                        config -> config.put("sliding_window", -9)),
                new Rejected("gemma3", "layer_types", "5 entries for 6 layers",
                        config -> config.withArray("layer_types").remove(0)),
                new Rejected("gemma3", "layer_types", "\"chunked_attention\" is not supported; supported are "
                        + "full_attention, sliding_attention",
                        config -> config.withArray("layer_types").set(2, "chunked_attention")),
                new Rejected("gemma2", "layer_types", "is not a list", config -> config.put("layer_types", "full")),
                new Rejected("gemma2", "use_bidirectional_attention", "bidirectional Gemma is not supported",
                        config -> config.put("use_bidirectional_attention", true)),
                new Rejected("gemma2", "attn_logit_softcapping", "is not a number >= 0: -3",
                        config -> config.put("attn_logit_softcapping", -3)),
                new Rejected("gemma2", "query_pre_attn_scalar", "must be greater than 0",
                        config -> config.put("query_pre_attn_scalar", 0)),
                new Rejected("gemma2", "final_logit_softcapping", "must be greater than 0",
                        config -> config.put("final_logit_softcapping", 0)),
                new Rejected("gemma2", "sliding_window", "must not be null",
                        config -> config.putNull("sliding_window")),
                new Rejected("mistral-window", "sliding_window", "0 leaves no key to attend to; null means no window",
                        config -> config.put("sliding_window", 0)),
                new Rejected("qwen2", "sliding_window", "is missing, but layer_types contains sliding_attention; "
                        + "use_sliding_window must be true",
                        config -> config.withArray("layer_types").set(0, "sliding_attention")),
                new Rejected("gpt-oss", "num_experts_per_tok", "5 of 4 experts cannot be chosen",
                        config -> config.put("num_experts_per_tok", 5)),
                new Rejected("llama", "per_layer_config", "layers of different configurations are not supported",
                        config -> config.putObject("per_layer_config").putObject("0")),
                new Rejected("llama", "is_causal", "attention in both directions is not supported in this family",
                        config -> config.put("is_causal", false)),
                new Rejected("qwen2", "is_causal", "attention in both directions is not supported in this family",
                        config -> config.putNull("is_causal")),
                new Rejected("llama", "transformers_weights", "weights under another name are not supported; name the file"
                        + " model.safetensors and remove this key",
                        config -> config.put("transformers_weights", "other.safetensors")),
                new Rejected("llama", "configuration_files", "other configurations are not supported; name the one to use"
                        + " config.json and remove this key",
                        config -> config.putArray("configuration_files").add("config.4.0.0.json")),
                new Rejected("mistral-window", "layer_types", "makes this a ministral for transformers, which is not supported",
                        config -> config.putArray("layer_types")),
                new Rejected("llama", "sliding_window", "has no effect when transformers reads a text of this family, but"
                        + " shortens its cache when it generates; remove it", config -> config.put("sliding_window", 7)),
                new Rejected("mistral-window", "attention_chunk_size", "has no effect when transformers reads a text of this"
                        + " family, but shortens its cache when it generates; remove it",
                        config -> config.putNull("sliding_window").put("attention_chunk_size", 4)),
                new Rejected("gpt2", "eos_token_id", "is not an integer or a list of integers: \"two\"",
                        config -> config.put("eos_token_id", "two")),
                // Models of images and text store these settings one level deeper, with another model_type.
                new Rejected("gemma3", "model_type", "\"gemma3\" is not supported; supported are " + Family.all(),
                        config -> {
                            ObjectNode text = config.deepCopy();
                            config.removeAll();
                            config.put("model_type", "gemma3").set("text_config", text);
                        }));
    }

    @ParameterizedTest
    @MethodSource
    void rejected(Rejected rejected) {
        Path changed = Fixtures.config(rejected.fixture(), folder, rejected.change());
        assertEquals(changed.resolve("config.json") + ": " + rejected.field() + ": " + rejected.rule(),
                assertThrows(ModelFormatException.class, () -> ConfigReader.read(changed)).getMessage());
    }

    private static void assertRejected(Path folder, String start) {
        String message = assertThrows(ModelFormatException.class, () -> Checkpoint.open(folder)).getMessage();
        assertTrue(message.startsWith(start), message);
        assertEquals(1, message.lines().count(), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[1, 2]", "gpt2", "{\"model_type\": }", "null"})
    void notAnObject(String content) throws IOException {
        Path file = Files.writeString(folder.resolve("config.json"), content);
        assertRejected(folder, file + ": is not ");
    }

    @Test
    void notAFolder() throws IOException {
        assertRejected(folder.resolve("none"), folder.resolve("none") + ": no such folder");
        assertRejected(folder, folder + ": contains no config.json");
        Path file = Files.writeString(folder.resolve("model"), "{}");
        assertRejected(file, file + ": is not a folder");
        Files.createDirectory(folder.resolve("config.json"));
        assertRejected(folder, folder.resolve("config.json") + ": is a folder, not a file");
    }

    @Test
    void generationConfigOverridesTheEndOfText() throws IOException {
        assertEquals(Set.of(2), read("gpt2", same -> {}).vocabulary().endOfText());
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [7, 9]}");
        assertEquals(Set.of(7, 9), ConfigReader.read(folder).vocabulary().endOfText());
        for (String none : List.of("{}", "{\"eos_token_id\": null}")) {
            Files.writeString(folder.resolve("generation_config.json"), none);
            assertEquals(Set.of(), ConfigReader.read(folder).vocabulary().endOfText(), "as in transformers");
        }
    }

    @Test
    void plainRopeInTheOlderForm() {
        ModelConfig config = read("llama", same -> {});
        assertEquals(config, read("llama", older -> {
            older.remove("rope_parameters");
            older.put("rope_theta", 10_000);
        }));
        assertNotEquals(config, read("llama", older -> {
            older.remove("rope_parameters");
            older.put("rope_theta", 20_000);
        }));
    }

    @Test
    void linearRopeInTheOlderForm() {
        ModelConfig config = read("llama", newer -> newer.putObject("rope_parameters")
                .put("rope_theta", 5000.0).put("rope_type", "linear").put("factor", 2.5));
        assertEquals(new Rope(5000, 8, new Rope.Linear(2.5)), config.positions().ropes().getFirst().orElseThrow());
        assertEquals(config, read("llama", older -> {
            older.remove("rope_parameters");
            older.put("rope_theta", 5000.0);
            older.putObject("rope_scaling").put("type", "linear").put("factor", 2.5);
        }));
    }

    @Test
    void llama3RopeInTheOlderForm() {
        ModelConfig config = read("llama3-rope-tied", same -> {});
        assertEquals(new Rope.Llama3(8, 1, 4, 32), config.positions().ropes().getFirst().orElseThrow().scaling());
        assertEquals(config, read("llama3-rope-tied", older -> {
            ObjectNode scaling = (ObjectNode) older.remove("rope_parameters");
            older.set("rope_theta", scaling.remove("rope_theta"));
            older.set("rope_scaling", scaling);
        }));
    }

    @Test
    void yarnInTheOlderForm() {
        ModelConfig config = read("llama", newer -> newer.withObject("rope_parameters")
                .put("rope_type", "yarn").put("factor", 4).put("original_max_position_embeddings", 32));
        assertEquals(new Rope(10_000, 8, new Rope.Yarn(4, 32, 1, 32, true, 0.1 * Math.log(4) + 1)),
                config.positions().ropes().getFirst().orElseThrow());
        assertEquals(config, read("llama", older -> {
            older.remove("rope_parameters");
            older.put("rope_theta", 10_000);
            older.putObject("rope_scaling")
                    .put("rope_type", "yarn").put("factor", 4).put("original_max_position_embeddings", 32);
        }));
    }

    /** transformers prefers the older key. */
    @Test
    void ropeScalingBesideRopeParameters() {
        ModelConfig config = read("qwen2", both -> both.putObject("rope_scaling").put("type", "linear").put("factor", 4));
        assertEquals(new Rope(10_000, 8, new Rope.Linear(4)), config.positions().ropes().getFirst().orElseThrow());
    }

    @Test
    void scalingExtendsTheLongestText() {
        assertEquals(128, maxTokens("yarn", 2, 16));
        assertEquals(256, maxTokens("yarn", 4, 64));
        assertEquals(256, maxTokens("linear", 2, 16));
        assertEquals(128, maxTokens("dynamic", 2, 16));
    }

    private int maxTokens(String type, double factor, int original) {
        return read("llama", config -> config.withObject("rope_parameters").put("rope_type", type)
                .put("factor", factor).put("original_max_position_embeddings", original)).maxTokens();
    }

    /** An absent key has the default of transformers' configuration classes, which differ between the families. */
    @Test
    void defaults() {
        ModelConfig config = read("gpt-oss", some -> {
            some.remove("rope_parameters");
            some.remove("sliding_window");
        });
        assertEquals(List.of(128, 0, 128), config.attention().windows());
        assertEquals(new Rope(150_000, 16, new Rope.Yarn(32, 32, 1, 4096, false, 0.1 * Math.log(32) + 1)),
                config.positions().ropes().getFirst().orElseThrow());
        assertEquals(50, read("gemma2", some -> some.remove("attn_logit_softcapping")).attention().softCap());
        assertEquals(0, read("gemma3", ignored -> ignored.put("attn_logit_softcapping", 50)).attention().softCap());
        assertEquals(0, read("llama", ignored -> ignored.put("attn_logit_softcapping", 50)).attention().softCap());
    }

    /** Windowed layers have their own unscaled frequencies; the pattern determines which layers those are. */
    @Test
    void gemma3InTheOlderForm() {
        ModelConfig config = read("gemma3", newer -> newer.withObject("rope_parameters").withObject("full_attention")
                .put("rope_type", "linear").put("factor", 8));
        assertEquals(new Rope(10_000, 16, new Rope.Unscaled()), config.positions().ropes().get(4).orElseThrow());
        assertEquals(new Rope(1_000_000, 16, new Rope.Linear(8)), config.positions().ropes().get(5).orElseThrow());
        assertEquals(config, read("gemma3", older -> {
            older.remove("rope_parameters");
            older.remove("layer_types");
            older.remove("_sliding_window_pattern");
            older.put("sliding_window_pattern", 6);
            older.put("rope_theta", 1e6).put("rope_local_base_freq", 1e4);
            older.putObject("rope_scaling").put("rope_type", "linear").put("factor", 8);
        }));
    }

    @Test
    void gemma2AlternatesWithoutLayerTypes() {
        assertEquals(read("gemma2", same -> {}), read("gemma2", older -> older.remove("layer_types")));
    }
}
