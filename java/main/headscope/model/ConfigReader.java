package headscope.model;

import com.fasterxml.jackson.databind.JsonNode;
import headscope.backend.Activation;
import headscope.model.ModelConfig.Attention;
import headscope.model.ModelConfig.Experts;
import headscope.model.ModelConfig.FeedForward;
import headscope.model.ModelConfig.Norm;
import headscope.model.ModelConfig.Norms;
import headscope.model.ModelConfig.Placement;
import headscope.model.ModelConfig.Positions;
import headscope.model.ModelConfig.QueryKeyNorm;
import headscope.model.ModelConfig.Sizes;
import headscope.model.ModelConfig.Vocabulary;
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
 * Reads {@link ModelConfig} from Hugging Face's config.json. A setting that would change the results and is not
 * supported is rejected by name.
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

    /** @param folder contains config.json, and generation_config.json if it overrides the end-of-text tokens */
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
        reject("add_cross_attention", "cross-attention is not supported");
        Sizes sizes = sizes("n_embd", "n_layer", "n_head");
        float scale = fields.flag("scale_attn_weights", true) ? inverseRoot(sizes.headDim()) : 1;
        return new ModelConfig(
                family, sizes, vocabulary(1, true, 0),
                new Attention(
                        scale, fields.flag("scale_attn_by_inverse_layer_idx", false), 0, true,
                        Collections.nCopies(sizes.layers(), 0)),
                Positions.learned(fields.positive("n_positions"), sizes.layers()),
                layerNorms("layer_norm_epsilon", 1e-5, Placement.BEFORE),
                FeedForward.dense(
                        fields.positive("n_inner", 4 * sizes.hidden()), activation("activation_function")));
    }

    private ModelConfig gptNeox() {
        Sizes sizes = sizes("hidden_size", "num_hidden_layers", "num_attention_heads");
        Rope rope = rope(fields.has("rope_parameters") ? fields.object("rope_parameters") : fields,
                fields.number("rotary_emb_base", 10_000), sizes.headDim(), fields.number("rotary_pct", 0.25));
        return new ModelConfig(
                family, sizes, vocabulary(1, false, 0),
                Attention.plain(sizes.layers(), inverseRoot(sizes.headDim()), true),
                new Positions(
                        fields.positive("max_position_embeddings"),
                        Collections.nCopies(sizes.layers(), Optional.of(rope))),
                layerNorms("layer_norm_eps", 1e-5,
                        fields.flag("use_parallel_residual", true) ? Placement.PARALLEL : Placement.BEFORE),
                FeedForward.dense(fields.positive("intermediate_size"), activation("hidden_act")));
    }

    private ModelConfig bert() {
        reject("is_decoder", "BERT as a decoder is not supported");
        String positions = fields.text("position_embedding_type", "absolute");
        if (!positions.equals("absolute")) {
            throw fields.wrong(
                    "position_embedding_type", "\"%s\" is not supported; \"absolute\" is".formatted(positions));
        }
        Sizes sizes = sizes("hidden_size", "num_hidden_layers", "num_attention_heads");
        return new ModelConfig(
                family, sizes, vocabulary(1, true, 0),
                Attention.plain(sizes.layers(), inverseRoot(sizes.headDim()), false),
                Positions.learned(fields.positive("max_position_embeddings"), sizes.layers()),
                layerNorms("layer_norm_eps", 1e-12, Placement.ON_SUM),
                FeedForward.dense(fields.positive("intermediate_size"), activation("hidden_act")));
    }

    private ModelConfig llamaLike() {
        boolean gemma = family == Family.GEMMA2 || family == Family.GEMMA3_TEXT;
        if (gemma) {
            reject("use_bidirectional_attention", "bidirectional Gemma is not supported");
        }
        if (family == Family.GEMMA2) {
            fields.requirePresent("attn_logit_softcapping");
            fields.requirePresent("final_logit_softcapping");
        }
        if (gemma || family == Family.MISTRAL || family == Family.GPT_OSS) {
            fields.requirePresent("sliding_window");
        }
        Sizes sizes = groupedSizes();
        boolean[] windowed = windowed(sizes.layers());
        int window = fields.positive("sliding_window", 0);
        return new ModelConfig(
                family, sizes,
                vocabulary(gemma ? (float) Math.sqrt(sizes.hidden()) : 1, gemma,
                        fields.number("final_logit_softcapping", 0)),
                new Attention(
                        gemma
                                ? (float) Math.pow(fields.number("query_pre_attn_scalar"), -0.5)
                                : inverseRoot(sizes.headDim()),
                        false, (float) fields.number("attn_logit_softcapping", 0), true,
                        IntStream.range(0, sizes.layers()).mapToObj(layer -> windowed[layer] ? window : 0).toList()),
                new Positions(fields.positive("max_position_embeddings"), ropes(windowed, sizes.headDim())),
                new Norms(
                        gemma ? Norm.RMS_ONE_PLUS : Norm.RMS, (float) fields.number("rms_norm_eps"),
                        gemma ? Placement.AROUND : family == Family.OLMO2 ? Placement.AFTER : Placement.BEFORE,
                        switch (family) {
                            case QWEN3, GEMMA3_TEXT -> QueryKeyNorm.EACH_HEAD;
                            case OLMO2 -> QueryKeyNorm.ALL_HEADS;
                            default -> QueryKeyNorm.NONE;
                        }),
                family == Family.GPT_OSS
                        ? mixture()
                        : FeedForward.dense(fields.positive("intermediate_size"),
                                activation(gemma ? "hidden_activation" : "hidden_act")));
    }

    private FeedForward mixture() {
        if (fields.number("swiglu_limit", 7) != 7) {
            throw fields.wrong("swiglu_limit", "must be 7");
        }
        return new FeedForward(
                fields.positive("intermediate_size"), Activation.CLAMPED_SILU,
                Optional.of(new Experts(
                        fields.positive("num_local_experts"), fields.positive("num_experts_per_tok"))));
    }

    /** Sizes of a model whose every head has its own keys and values. The parameters are names of fields. */
    private Sizes sizes(String hiddenField, String layersField, String headsField) {
        int hidden = fields.positive(hiddenField);
        int layers = fields.positive(layersField);
        int heads = fields.positive(headsField);
        return new Sizes(layers, hidden, heads, heads, headDim(hidden, heads, headsField));
    }

    /** Sizes of a model in which several query heads may share a key head. */
    private Sizes groupedSizes() {
        int hidden = fields.positive("hidden_size");
        int layers = fields.positive("num_hidden_layers");
        int heads = fields.positive("num_attention_heads");
        int headDim =
                fields.has("head_dim") ? fields.positive("head_dim") : headDim(hidden, heads, "num_attention_heads");
        int kvHeads = fields.positive("num_key_value_heads", heads);
        if (heads % kvHeads != 0) {
            throw fields.wrong("num_key_value_heads", "%d does not divide %d heads".formatted(kvHeads, heads));
        }
        return new Sizes(layers, hidden, heads, kvHeads, headDim);
    }

    private int headDim(int hidden, int heads, String headsField) {
        if (hidden % heads != 0) {
            throw fields.wrong(headsField, "%d heads do not divide a width of %d".formatted(heads, hidden));
        }
        return hidden / heads;
    }

    private Vocabulary vocabulary(float embeddingScale, boolean tiedByDefault, double softCap) {
        return new Vocabulary(
                fields.positive("vocab_size"), embeddingScale, fields.flag("tie_word_embeddings", tiedByDefault),
                (float) softCap, endOfText);
    }

    private Norms layerNorms(String epsilonField, double defaultEpsilon, Placement placement) {
        return new Norms(
                Norm.LAYER, (float) fields.number(epsilonField, defaultEpsilon), placement, QueryKeyNorm.NONE);
    }

    /** Whether each layer attends to a sliding window only. */
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
        double rotatedShare = fields.number("partial_rotary_factor", 1);
        Rope global;
        Rope local;
        if (family == Family.GEMMA3_TEXT && fields.has("rope_parameters")) {
            global = rope(fields.object("rope_parameters").object("full_attention"), theta, headDim, rotatedShare);
            local = rope(fields.object("rope_parameters").object("sliding_attention"), theta, headDim, rotatedShare);
        } else if (family == Family.GEMMA3_TEXT) {
            global = rope(fields, fields.number("rope_theta", 1_000_000), headDim, rotatedShare);
            local = new Rope(fields.number("rope_local_base_freq", 10_000), headDim, new Rope.Unscaled());
        } else {
            global = rope(fields.has("rope_parameters") ? fields.object("rope_parameters") : fields,
                    theta, headDim, rotatedShare);
            local = global;
        }
        List<Optional<Rope>> ropes = new ArrayList<>();
        for (boolean isLocal : windowed) {
            ropes.add(Optional.of(isLocal ? local : global));
        }
        return List.copyOf(ropes);
    }

    /** @param source rope_parameters, or in older files the object that holds rope_theta and rope_scaling */
    private Rope rope(ConfigFields source, double theta, int headDim, double rotatedShare) {
        ConfigFields scaling = source.has("rope_scaling") ? source.object("rope_scaling") : source;
        boolean old = scaling == source && source == fields;
        String type = old ? "default" : scaling.text("rope_type", scaling.text("type", "default"));
        double base = source.number("rope_theta", theta);
        int rotated = (int) (headDim * source.number("partial_rotary_factor", rotatedShare));
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

    private void reject(String flag, String rule) {
        if (fields.flag(flag, false)) {
            throw fields.wrong(flag, rule);
        }
    }

    private static float inverseRoot(int headDim) {
        return (float) (1 / Math.sqrt(headDim));
    }
}
