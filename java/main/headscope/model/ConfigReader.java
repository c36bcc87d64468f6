package headscope.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.backend.Activation;
import headscope.model.ModelConfig.Attention;
import headscope.model.ModelConfig.Bias;
import headscope.model.ModelConfig.Biases;
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
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Reads {@link ModelConfig} from Hugging Face's config.json. Keys mean what they mean to transformers 5.18; what is not
 * supported is rejected by name. docs/families.md lists every key.
 */
final class ConfigReader {
    /** Families whose configurations always have layer_types in transformers. */
    private static final Set<Family> WITH_LAYER_TYPES =
            Set.of(Family.QWEN2, Family.QWEN3, Family.GEMMA2, Family.GEMMA3_TEXT, Family.GPT_OSS);

    private final ConfigFields fields;
    private final Family family;
    private final ObjectNode defaults;
    private final Set<Integer> endOfText;

    private ConfigReader(ConfigFields fields, Family family, Set<Integer> endOfText) {
        this.family = family;
        this.defaults = ConfigDefaults.of(family);
        this.fields = fields.withDefaults(defaults, ConfigDefaults.aliases(family));
        this.endOfText = endOfText;
    }

    /** @param folder contains config.json, and generation_config.json if that names the end-of-text tokens */
    static ModelConfig read(Path folder) {
        ConfigFields fields = ConfigFields.read(folder.resolve("config.json"));
        String type = fields.text("model_type");
        Family family = Family.of(type).orElseThrow(() ->
                fields.wrong("model_type", "\"%s\" is not supported; supported are %s".formatted(type, Family.all())));
        if (fields.hasValue("quantization_config")) {
            throw fields.wrong("quantization_config",
                    "quantised weights are not supported; use the checkpoint in bfloat16, float16 or float32");
        }
        if (fields.hasValue("per_layer_config")) {
            throw fields.wrong("per_layer_config", "layers of different configurations are not supported");
        }
        requireOwnFiles(fields);
        Path generation = folder.resolve("generation_config.json");
        ConfigFields ends = Files.exists(generation) ? ConfigFields.read(generation) : fields;
        Set<Integer> endOfText = Arrays.stream(ends.integers("eos_token_id"))
                .boxed()
                .collect(Collectors.toCollection(TreeSet::new));
        ConfigReader reader = new ConfigReader(fields, family, endOfText);
        ModelConfig config = reader.config();
        if (config.causal()) {
            requireCausal(fields);
            requireWholeCache(reader.fields, family, config.maxTokens());
        }
        return config;
    }

    /** Transformers follows these keys to other files. */
    private static void requireOwnFiles(ConfigFields fields) {
        if (fields.hasValue("transformers_weights")) {
            throw fields.wrong("transformers_weights",
                    "weights under another name are not supported; name the file model.safetensors and remove this key");
        }
        if (fields.hasValue("configuration_files")) {
            throw fields.wrong("configuration_files",
                    "other configurations are not supported; name the one to use config.json and remove this key");
        }
    }

    private static void requireCausal(ConfigFields fields) {
        if (fields.has("is_causal") && !(fields.hasValue("is_causal") && fields.flag("is_causal"))) {
            throw fields.wrong("is_causal", "attention in both directions is not supported in this family");
        }
    }

    /**
     * When it generates, transformers shortens its cache also by keys that mean nothing while it reads a text, unless the
     * configuration has layer_types ({@code get_layer_types_and_kwargs}).
     */
    private static void requireWholeCache(ConfigFields fields, Family family, int maxTokens) {
        boolean byLayer = fields.hasValue("layer_types") || WITH_LAYER_TYPES.contains(family);
        String field = fields.hasValue("sliding_window") ? "sliding_window" : "attention_chunk_size";
        boolean obeyed = field.equals("sliding_window") && (family == Family.MISTRAL || family == Family.PHI3);
        if (!byLayer && !obeyed && fields.hasValue(field) && fields.count(field) < maxTokens) {
            throw fields.wrong(field, "has no effect when transformers reads a text of this family, but shortens its cache when it"
                    + " generates; remove it");
        }
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
        float scale = fields.flag("scale_attn_weights") ? inverseRoot(sizes.headDim()) : 1;
        return new ModelConfig(
                family, sizes, vocabulary(1, 0),
                new Attention(
                        scale, fields.flag("scale_attn_by_inverse_layer_idx"), 0, true,
                        Collections.nCopies(sizes.layers(), 0)),
                Positions.learned(fields.positive("n_positions"), sizes.layers()),
                layerNorms("layer_norm_epsilon", Placement.BEFORE),
                FeedForward.plain(
                        fields.findPositive("n_inner").orElse(4 * sizes.hidden()), activation("activation_function")),
                Biases.all(Bias.USED));
    }

    private ModelConfig gptNeox() {
        Sizes sizes = sizes("hidden_size", "num_hidden_layers", "num_attention_heads");
        Bias bias = Bias.of(fields.flag("attention_bias"));
        return new ModelConfig(
                family, sizes, vocabulary(1, 0),
                Attention.plain(sizes.layers(), inverseRoot(sizes.headDim()), true),
                new RopeReader(fields, family, sizes.headDim()).positions(Collections.nCopies(sizes.layers(), 0)),
                layerNorms("layer_norm_eps",
                        fields.flag("use_parallel_residual") ? Placement.PARALLEL : Placement.BEFORE),
                FeedForward.plain(fields.positive("intermediate_size"), activation("hidden_act")),
                new Biases(bias, bias, Bias.USED));
    }

    private ModelConfig bert() {
        reject("is_decoder", "BERT as a decoder is not supported");
        reject("add_cross_attention", "cross-attention is not supported");
        String positions = fields.text("position_embedding_type");
        if (!positions.equals("absolute")) {
            throw fields.wrong(
                    "position_embedding_type", "\"%s\" is not supported; \"absolute\" is".formatted(positions));
        }
        Sizes sizes = sizes("hidden_size", "num_hidden_layers", "num_attention_heads");
        return new ModelConfig(
                family, sizes, vocabulary(1, 0),
                Attention.plain(sizes.layers(), inverseRoot(sizes.headDim()), false),
                Positions.learned(fields.positive("max_position_embeddings"), sizes.layers()),
                layerNorms("layer_norm_eps", Placement.ON_SUM),
                FeedForward.plain(fields.positive("intermediate_size"), activation("hidden_act")),
                Biases.all(Bias.USED));
    }

    private ModelConfig llamaLike() {
        boolean gemma = family == Family.GEMMA2 || family == Family.GEMMA3_TEXT;
        if (gemma && fields.hasValue("use_bidirectional_attention")) {
            reject("use_bidirectional_attention", "bidirectional Gemma is not supported");
        }
        Sizes sizes = groupedSizes();
        List<Integer> windows = new WindowReader(fields, family, sizes.layers()).windows();
        return new ModelConfig(
                family, sizes,
                vocabulary(gemma ? (float) Math.sqrt(sizes.hidden()) : 1, softCap("final_logit_softcapping")),
                new Attention(
                        gemma
                                ? (float) Math.pow(fields.positiveNumber("query_pre_attn_scalar"), -0.5)
                                : inverseRoot(sizes.headDim()),
                        false, softCap("attn_logit_softcapping"), true, windows),
                new RopeReader(fields, family, sizes.headDim()).positions(windows),
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
                        : FeedForward.gated(fields.positive("intermediate_size"),
                                activation(gemma ? "hidden_activation" : "hidden_act")),
                biases());
    }

    private Biases biases() {
        Bias attention = bias("attention_bias");
        return family == Family.QWEN2
                ? new Biases(Bias.USED, Bias.NONE, Bias.NONE)
                : new Biases(attention, attention, bias("mlp_bias"));
    }

    private Bias bias(String field) {
        return isDefined(field) ? Bias.of(fields.flag(field)) : Bias.NONE;
    }

    /** 0 in families without soft cap. */
    private float softCap(String field) {
        return isDefined(field) && fields.hasValue(field) ? (float) fields.positiveNumber(field) : 0;
    }

    /** Whether a key has a meaning in this family. Others are ignored. */
    private boolean isDefined(String field) {
        return defaults.has(field);
    }

    private FeedForward mixture() {
        Experts experts = new Experts(fields.positive("num_local_experts"), fields.positive("num_experts_per_tok"));
        if (experts.perToken() > experts.count()) {
            throw fields.wrong("num_experts_per_tok",
                    "%d of %d experts cannot be chosen".formatted(experts.perToken(), experts.count()));
        }
        return new FeedForward(fields.positive("intermediate_size"), true, Activation.CLAMPED_SILU, Optional.of(experts));
    }

    /** Sizes of a model whose every head has its own keys and values. The parameters are names of fields. */
    private Sizes sizes(String hiddenField, String layersField, String headsField) {
        int hidden = fields.positive(hiddenField);
        int layers = fields.layers(layersField);
        int heads = fields.positive(headsField);
        int headDim = headDim(hidden, heads, headsField);
        if (family == Family.GPT_NEOX && fields.hasValue("head_dim") && fields.positive("head_dim") != headDim) {
            throw fields.wrong("head_dim", "must be %d, the width divided by the number of heads".formatted(headDim));
        }
        return new Sizes(layers, hidden, heads, heads, headDim);
    }

    /** Sizes of a model in which several query heads may share a key head. */
    private Sizes groupedSizes() {
        int hidden = fields.positive("hidden_size");
        int layers = fields.layers("num_hidden_layers");
        int heads = fields.positive("num_attention_heads");
        int headDim = fields.hasValue("head_dim") || !defaults.path("head_dim").isNull()
                ? fields.positive("head_dim")
                : headDim(hidden, heads, "num_attention_heads");
        if (family == Family.LLAMA || family == Family.GEMMA2 || family == Family.GEMMA3_TEXT) {
            headDim(hidden, heads, "num_attention_heads"); // required also where head_dim is another
        }
        int kvHeads = fields.findPositive("num_key_value_heads").orElse(heads);
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

    private Vocabulary vocabulary(float embeddingScale, float softCap) {
        return new Vocabulary(
                fields.positive("vocab_size"), embeddingScale, fields.flag("tie_word_embeddings"), softCap, endOfText);
    }

    private Norms layerNorms(String epsilonField, Placement placement) {
        return new Norms(Norm.LAYER, (float) fields.number(epsilonField), placement, QueryKeyNorm.NONE);
    }

    private Activation activation(String field) {
        String name = fields.text(field);
        return switch (name) {
            case "gelu", "gelu_python" -> Activation.GELU;
            case "gelu_new", "gelu_pytorch_tanh", "gelu_python_tanh", "gelu_fast", "gelu_accurate" ->
                    Activation.GELU_TANH;
            case "quick_gelu" -> Activation.QUICK_GELU;
            case "silu", "swish" -> Activation.SILU;
            case "relu" -> Activation.RELU;
            default -> throw fields.wrong(field, ("\"%s\" is not supported; supported are gelu, gelu_new, "
                    + "gelu_pytorch_tanh, gelu_fast, quick_gelu, silu, swish, relu").formatted(name));
        };
    }

    private void reject(String flag, String rule) {
        if (fields.flag(flag)) {
            throw fields.wrong(flag, rule);
        }
    }

    private static float inverseRoot(int headDim) {
        return (float) (1 / Math.sqrt(headDim));
    }
}
