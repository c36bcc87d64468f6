package headscope.model;

import com.fasterxml.jackson.databind.JsonNode;
import headscope.backend.Activation;
import headscope.model.ModelConfig.Norm;
import headscope.model.ModelConfig.Placement;
import headscope.model.ModelConfig.QueryKeyNorm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * From Hugging Face's config.json to {@link ModelConfig}. What is not supported is refused by name: a number that
 * comes out is the number that the checkpoint's own library computes.
 */
final class ConfigReader {
    private final ConfigFields fields;
    private final Family family;
    private final Set<Integer> endOfText;

    private ConfigReader(ConfigFields fields, Family family, Set<Integer> endOfText) {
        this.fields = fields;
        this.family = family;
        this.endOfText = endOfText;
    }

    /** @param folder holds config.json, and generation_config.json where the end of text differs */
    static ModelConfig read(Path folder) {
        ConfigFields fields = ConfigFields.read(folder.resolve("config.json"));
        String type = fields.text("model_type");
        Family family = Family.of(type).orElseThrow(() ->
                fields.wrong("model_type", "\"%s\" is not supported; supported are %s".formatted(type, Family.all())));
        if (fields.has("quantization_config")) {
            throw fields.wrong("quantization_config",
                    "quantised weights are not supported; use the checkpoint in bfloat16, float16 or float32");
        }
        Path generation = folder.resolve("generation_config.json");
        ConfigFields ends = Files.exists(generation) ? ConfigFields.read(generation) : fields;
        Set<Integer> endOfText = Arrays.stream((ends.has("eos_token_id") ? ends : fields).integers("eos_token_id"))
                .boxed()
                .collect(Collectors.toCollection(TreeSet::new));
        return new ConfigReader(fields, family, endOfText).config();
    }

    private ModelConfig config() {
        return switch (family) {
            case GPT2 -> gpt2();
            case GPT_NEOX -> gptNeox();
            case BERT -> bert();
            case LLAMA, MISTRAL, QWEN2, QWEN3, GEMMA2, GEMMA3_TEXT, PHI3, OLMO2, GPT_OSS -> llamaLike();
        };
    }

    private ModelConfig gpt2() {
        refuse("add_cross_attention", "cross-attention is not supported");
        int hidden = fields.positive("n_embd");
        int layers = fields.positive("n_layer");
        int heads = fields.positive("n_head");
        int headDim = headDim(hidden, heads);
        float scale = fields.flag("scale_attn_weights", true) ? inverseRoot(headDim) : 1;
        return new ModelConfig(
                family, fields.positive("vocab_size"), hidden, layers, heads, heads, headDim,
                fields.positive("n_inner", 4 * hidden), 0, 0, fields.positive("n_positions"),
                Norm.LAYER, (float) fields.number("layer_norm_epsilon", 1e-5), Placement.BEFORE, QueryKeyNorm.NONE,
                scale, fields.flag("scale_attn_by_inverse_layer_idx", false), 0, 0, repeat(layers, 0),
                repeat(layers, Optional.empty()), activation("activation_function"), 1,
                fields.flag("tie_word_embeddings", true), true, endOfText);
    }

    private ModelConfig gptNeox() {
        int hidden = fields.positive("hidden_size");
        int layers = fields.positive("num_hidden_layers");
        int heads = fields.positive("num_attention_heads");
        int headDim = headDim(hidden, heads);
        Rope rope = rope(fields.has("rope_parameters") ? fields.object("rope_parameters") : fields,
                fields.number("rotary_emb_base", 10_000), headDim, fields.number("rotary_pct", 0.25));
        return new ModelConfig(
                family, fields.positive("vocab_size"), hidden, layers, heads, heads, headDim,
                fields.positive("intermediate_size"), 0, 0, fields.positive("max_position_embeddings"),
                Norm.LAYER, (float) fields.number("layer_norm_eps", 1e-5),
                fields.flag("use_parallel_residual", true) ? Placement.PARALLEL : Placement.BEFORE,
                QueryKeyNorm.NONE, inverseRoot(headDim), false, 0, 0, repeat(layers, 0),
                repeat(layers, Optional.of(rope)), activation("hidden_act"), 1,
                fields.flag("tie_word_embeddings", false), true, endOfText);
    }

    private ModelConfig bert() {
        refuse("is_decoder", "BERT as a decoder is not supported");
        String positions = fields.text("position_embedding_type", "absolute");
        if (!positions.equals("absolute")) {
            throw fields.wrong("position_embedding_type", "\"%s\" is not supported; \"absolute\" is".formatted(positions));
        }
        int hidden = fields.positive("hidden_size");
        int layers = fields.positive("num_hidden_layers");
        int heads = fields.positive("num_attention_heads");
        int headDim = headDim(hidden, heads);
        return new ModelConfig(
                family, fields.positive("vocab_size"), hidden, layers, heads, heads, headDim,
                fields.positive("intermediate_size"), 0, 0, fields.positive("max_position_embeddings"),
                Norm.LAYER, (float) fields.number("layer_norm_eps", 1e-12), Placement.ON_SUM, QueryKeyNorm.NONE,
                inverseRoot(headDim), false, 0, 0, repeat(layers, 0), repeat(layers, Optional.empty()),
                activation("hidden_act"), 1, fields.flag("tie_word_embeddings", true), false, endOfText);
    }

    private ModelConfig llamaLike() {
        boolean gemma = family == Family.GEMMA2 || family == Family.GEMMA3_TEXT;
        if (gemma) {
            refuse("use_bidirectional_attention", "bidirectional Gemma is not supported");
        }
        if (family == Family.GEMMA2) {
            fields.requireNamed("attn_logit_softcapping");
            fields.requireNamed("final_logit_softcapping");
        }
        if (gemma || family == Family.MISTRAL || family == Family.GPT_OSS) {
            fields.requireNamed("sliding_window");
        }
        boolean mixture = family == Family.GPT_OSS;
        if (mixture && fields.number("swiglu_limit", 7) != 7) {
            throw fields.wrong("swiglu_limit", "is not 7");
        }
        int hidden = fields.positive("hidden_size");
        int layers = fields.positive("num_hidden_layers");
        int heads = fields.positive("num_attention_heads");
        int headDim = fields.has("head_dim") ? fields.positive("head_dim") : headDim(hidden, heads);
        int kvHeads = fields.positive("num_key_value_heads", heads);
        if (heads % kvHeads != 0) {
            throw fields.wrong("num_key_value_heads", "%d does not divide %d heads".formatted(kvHeads, heads));
        }
        boolean[] windowed = windowed(layers);
        int window = fields.positive("sliding_window", 0);
        return new ModelConfig(
                family, fields.positive("vocab_size"), hidden, layers, heads, kvHeads, headDim,
                fields.positive("intermediate_size"), mixture ? fields.positive("num_local_experts") : 0,
                mixture ? fields.positive("num_experts_per_tok") : 0, fields.positive("max_position_embeddings"),
                gemma ? Norm.RMS_ONE_PLUS : Norm.RMS, (float) fields.number("rms_norm_eps"),
                gemma ? Placement.AROUND : family == Family.OLMO2 ? Placement.AFTER : Placement.BEFORE,
                switch (family) {
                    case QWEN3, GEMMA3_TEXT -> QueryKeyNorm.EACH_HEAD;
                    case OLMO2 -> QueryKeyNorm.ALL_HEADS;
                    default -> QueryKeyNorm.NONE;
                },
                gemma ? (float) Math.pow(fields.number("query_pre_attn_scalar"), -0.5) : inverseRoot(headDim), false,
                (float) fields.number("attn_logit_softcapping", 0), (float) fields.number("final_logit_softcapping", 0),
                IntStream.range(0, layers).mapToObj(layer -> windowed[layer] ? window : 0).toList(),
                ropes(windowed, headDim), mixture ? Activation.CLAMPED_SILU : activation(gemma ? "hidden_activation" : "hidden_act"),
                gemma ? (float) Math.sqrt(hidden) : 1, fields.flag("tie_word_embeddings", gemma), true, endOfText);
    }

    /** Which layers see a window only. */
    private boolean[] windowed(int layers) {
        boolean[] windowed = new boolean[layers];
        boolean any = fields.has("sliding_window")
                && (family != Family.QWEN2 && family != Family.QWEN3 || fields.flag("use_sliding_window", false));
        if (!any || family == Family.LLAMA || family == Family.OLMO2) {
            return windowed;
        }
        Optional<JsonNode> types = fields.list("layer_types");
        if (types.isPresent() && types.get().size() != layers) {
            throw fields.wrong("layer_types", "%d entries for %d layers".formatted(types.get().size(), layers));
        }
        int pattern = fields.positive("sliding_window_pattern", fields.positive("_sliding_window_pattern", 6));
        for (int layer = 0; layer < layers; layer++) {
            windowed[layer] = types.isPresent()
                    ? windowed(types.get().get(layer))
                    : switch (family) {
                        case GEMMA2, GPT_OSS -> layer % 2 == 0;
                        case GEMMA3_TEXT -> (layer + 1) % pattern != 0;
                        case QWEN2, QWEN3 -> layer >= fields.positive("max_window_layers");
                        default -> true;
                    };
        }
        return windowed;
    }

    private boolean windowed(JsonNode type) {
        return switch (type.asText()) {
            case "full_attention" -> false;
            case "sliding_attention" -> true;
            default -> throw fields.wrong("layer_types",
                    type + " is not supported; supported are full_attention, sliding_attention");
        };
    }

    private List<Optional<Rope>> ropes(boolean[] windowed, int headDim) {
        double theta = fields.number("rope_theta", 10_000);
        double share = fields.number("partial_rotary_factor", 1);
        Rope global;
        Rope local;
        if (family == Family.GEMMA3_TEXT && fields.has("rope_parameters")) {
            global = rope(fields.object("rope_parameters").object("full_attention"), theta, headDim, share);
            local = rope(fields.object("rope_parameters").object("sliding_attention"), theta, headDim, share);
        } else if (family == Family.GEMMA3_TEXT) {
            global = rope(fields, fields.number("rope_theta", 1_000_000), headDim, share);
            local = new Rope(fields.number("rope_local_base_freq", 10_000), headDim, new Rope.Unscaled());
        } else {
            global = rope(fields.has("rope_parameters") ? fields.object("rope_parameters") : fields,
                    theta, headDim, share);
            local = global;
        }
        List<Optional<Rope>> ropes = new ArrayList<>();
        for (boolean near : windowed) {
            ropes.add(Optional.of(near ? local : global));
        }
        return List.copyOf(ropes);
    }

    /** From rope_parameters, or from the older rope_theta beside rope_scaling, whichever source is. */
    private Rope rope(ConfigFields source, double theta, int headDim, double share) {
        ConfigFields scaling = source.has("rope_scaling") ? source.object("rope_scaling") : source;
        boolean old = scaling == source && source == fields;
        String type = old ? "default" : scaling.text("rope_type", scaling.text("type", "default"));
        double base = source.number("rope_theta", theta);
        int rotated = (int) (headDim * source.number("partial_rotary_factor", share));
        return new Rope(base, rotated, switch (type) {
            case "default" -> new Rope.Unscaled();
            case "linear" -> new Rope.Linear(scaling.number("factor"));
            case "llama3" -> new Rope.Llama3(
                    scaling.number("factor"), scaling.number("low_freq_factor"), scaling.number("high_freq_factor"),
                    scaling.number("original_max_position_embeddings"));
            case "yarn" -> yarn(scaling);
            default -> throw scaling.wrong("rope_type",
                    "\"%s\" is not supported; supported are default, linear, llama3, yarn".formatted(type));
        });
    }

    private Rope.Yarn yarn(ConfigFields scaling) {
        if (scaling.has("mscale") || scaling.has("mscale_all_dim")) {
            throw scaling.wrong("mscale", "is not supported");
        }
        double factor = scaling.number("factor");
        return new Rope.Yarn(
                factor, scaling.number("beta_fast", 32), scaling.number("beta_slow", 1),
                scaling.number("original_max_position_embeddings", fields.positive("max_position_embeddings")),
                scaling.flag("truncate", true),
                scaling.number("attention_factor", factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1));
    }

    private Activation activation(String field) {
        String name = fields.text(family == Family.GEMMA2 && !fields.has(field) ? "hidden_act" : field);
        return switch (name) {
            case "gelu" -> Activation.GELU;
            case "gelu_new", "gelu_pytorch_tanh", "gelu_fast" -> Activation.GELU_TANH;
            case "silu", "swish" -> Activation.SILU;
            default -> throw fields.wrong(field, ("\"%s\" is not supported; supported are gelu, gelu_new, "
                    + "gelu_pytorch_tanh, gelu_fast, silu, swish").formatted(name));
        };
    }

    private void refuse(String flag, String rule) {
        if (fields.flag(flag, false)) {
            throw fields.wrong(flag, rule);
        }
    }

    private int headDim(int hidden, int heads) {
        if (hidden % heads != 0) {
            throw fields.wrong(family == Family.GPT2 ? "n_head" : "num_attention_heads",
                    "%d heads do not divide a width of %d".formatted(heads, hidden));
        }
        return hidden / heads;
    }

    private static float inverseRoot(int headDim) {
        return (float) (1 / Math.sqrt(headDim));
    }

    private static <T> List<T> repeat(int count, T value) {
        return Collections.nCopies(count, value);
    }
}
