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
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What config.json may say: refused by name where it is not supported, the same model whichever way it is written. */
class ConfigReaderTest {
    @TempDir
    private Path folder;

    private record Refused(String fixture, String field, String rule, Consumer<ObjectNode> change) {
        @Override
        public String toString() {
            return fixture + ": " + field;
        }
    }

    private ModelConfig read(String fixture, Consumer<ObjectNode> change) {
        return ConfigReader.read(Fixtures.config(fixture, folder, change));
    }

    static Stream<Refused> refused() {
        return Stream.of(
                new Refused("gpt2", "model_type", "\"gptj\" is not supported; supported are " + Family.all(),
                        config -> config.put("model_type", "gptj")),
                new Refused("gpt2", "model_type", "is missing", config -> config.remove("model_type")),
                new Refused("gpt2", "model_type", "is not a string", config -> config.put("model_type", 2)),
                new Refused("llama", "quantization_config", "quantised weights are not supported; "
                        + "use the checkpoint in bfloat16, float16 or float32",
                        config -> config.putObject("quantization_config").put("bits", 4)),
                new Refused("gpt2", "add_cross_attention", "cross-attention is not supported",
                        config -> config.put("add_cross_attention", true)),
                new Refused("gpt2", "add_cross_attention", "is not true or false",
                        config -> config.put("add_cross_attention", "no")),
                new Refused("gpt2", "n_head", "5 heads do not divide a width of 48", config -> config.put("n_head", 5)),
                new Refused("gpt2", "n_embd", "is missing", config -> config.remove("n_embd")),
                new Refused("gpt2", "n_layer", "is not a positive integer: -3", config -> config.put("n_layer", -3)),
                new Refused("gpt2", "n_layer", "is not a positive integer: 0", config -> config.put("n_layer", 0)),
                new Refused("gpt2", "n_layer", "is not a positive integer: 2.5", config -> config.put("n_layer", 2.5)),
                new Refused("gpt2", "n_layer", "is not a positive integer: 5000000000",
                        config -> config.put("n_layer", 5_000_000_000L)),
                new Refused("gpt2", "activation_function", "\"relu\" is not supported; supported are gelu, gelu_new, "
                        + "gelu_pytorch_tanh, gelu_fast, silu, swish",
                        config -> config.put("activation_function", "relu")),
                new Refused("bert", "position_embedding_type", "\"relative_key\" is not supported; \"absolute\" is",
                        config -> config.put("position_embedding_type", "relative_key")),
                new Refused("bert", "is_decoder", "BERT as a decoder is not supported",
                        config -> config.put("is_decoder", true)),
                new Refused("gpt-neox", "num_attention_heads", "7 heads do not divide a width of 48",
                        config -> config.put("num_attention_heads", 7)),
                new Refused("llama", "num_key_value_heads", "4 does not divide 6 heads",
                        config -> config.put("num_key_value_heads", 4)),
                new Refused("llama", "rms_norm_eps", "is missing", config -> config.remove("rms_norm_eps")),
                new Refused("llama", "rms_norm_eps", "is not a number >= 0: -1.0E-6",
                        config -> config.put("rms_norm_eps", -1e-6)),
                new Refused("llama", "rms_norm_eps", "is not a number >= 0: \"small\"",
                        config -> config.put("rms_norm_eps", "small")),
                new Refused("llama", "rope_parameters", "is not an object",
                        config -> config.put("rope_parameters", 3)),
                new Refused("llama", "rope_parameters.rope_type",
                        "\"longrope\" is not supported; supported are default, linear, llama3, yarn",
                        config -> config.withObject("rope_parameters").put("rope_type", "longrope")),
                new Refused("llama", "rope_parameters.rope_type",
                        "\"dynamic\" is not supported; supported are default, linear, llama3, yarn",
                        config -> config.withObject("rope_parameters").put("rope_type", "dynamic")),
                new Refused("phi3", "rope_scaling.rope_type",
                        "\"longrope\" is not supported; supported are default, linear, llama3, yarn",
                        config -> {
                            config.remove("rope_parameters");
                            config.putObject("rope_scaling").put("type", "longrope");
                        }),
                new Refused("llama", "rope_parameters.factor", "is missing",
                        config -> config.withObject("rope_parameters").put("rope_type", "linear")),
                new Refused("llama3-rope-tied", "rope_parameters.low_freq_factor", "is missing",
                        config -> config.withObject("rope_parameters").remove("low_freq_factor")),
                new Refused("mistral-window", "sliding_window", "is not a positive integer: -9",
                        config -> config.put("sliding_window", -9)),
                new Refused("gemma3", "layer_types", "5 entries for 6 layers",
                        config -> config.withArray("layer_types").remove(0)),
                new Refused("gemma3", "layer_types", "\"chunked_attention\" is not supported; supported are "
                        + "full_attention, sliding_attention",
                        config -> config.withArray("layer_types").set(2, "chunked_attention")),
                new Refused("gemma2", "layer_types", "is not a list", config -> config.put("layer_types", "full")),
                new Refused("gemma2", "use_bidirectional_attention", "bidirectional Gemma is not supported",
                        config -> config.put("use_bidirectional_attention", true)),
                new Refused("gemma2", "attn_logit_softcapping", "is not a number >= 0: -3",
                        config -> config.put("attn_logit_softcapping", -3)),
                new Refused("gemma2", "query_pre_attn_scalar", "is missing",
                        config -> config.remove("query_pre_attn_scalar")),
                new Refused("gemma2", "final_logit_softcapping", "is missing; null means none",
                        config -> config.remove("final_logit_softcapping")),
                new Refused("mistral-window", "sliding_window", "is missing; null means none",
                        config -> config.remove("sliding_window")),
                new Refused("gpt2", "eos_token_id", "is not an integer or a list of integers: \"two\"",
                        config -> config.put("eos_token_id", "two")),
                // A model of pictures and text keeps its settings one level deeper, under another name.
                new Refused("gemma3", "model_type", "\"gemma3\" is not supported; supported are " + Family.all(),
                        config -> {
                            ObjectNode text = config.deepCopy();
                            config.removeAll();
                            config.put("model_type", "gemma3").set("text_config", text);
                        }));
    }

    @ParameterizedTest
    @MethodSource
    void refused(Refused one) {
        Path changed = Fixtures.config(one.fixture(), folder, one.change());
        assertEquals(changed.resolve("config.json") + ": " + one.field() + ": " + one.rule(),
                assertThrows(ModelFormatException.class, () -> ConfigReader.read(changed)).getMessage());
    }

    private static void message(Path folder, String start) {
        String said = assertThrows(ModelFormatException.class, () -> Checkpoint.open(folder)).getMessage();
        assertTrue(said.startsWith(start), said);
        assertEquals(1, said.lines().count(), said);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[1, 2]", "gpt2", "{\"model_type\": }", "null"})
    void notAnObject(String content) throws IOException {
        Path file = Files.writeString(folder.resolve("config.json"), content);
        message(folder, file + ": is not ");
    }

    @Test
    void notAFolder() throws IOException {
        message(folder.resolve("none"), folder.resolve("none") + ": no such folder");
        message(folder, folder + ": holds no config.json");
        Path file = Files.writeString(folder.resolve("model"), "{}");
        message(file, file + ": is not a folder");
        Files.createDirectory(folder.resolve("config.json"));
        message(folder, folder.resolve("config.json") + ": cannot be read");
    }

    @Test
    void generationConfigDecidesWhatEndsAText() throws IOException {
        ModelConfig config = read("gpt2", same -> {});
        assertEquals(Set.of(2), config.vocabulary().endOfText());
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [7, 9]}");
        assertEquals(Set.of(7, 9), ConfigReader.read(folder).vocabulary().endOfText());
        Files.writeString(folder.resolve("generation_config.json"), "{}");
        assertEquals(config, ConfigReader.read(folder));
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

    /** Windowed layers keep their own wavelengths, scaled or not; which those layers are follows from a pattern. */
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
