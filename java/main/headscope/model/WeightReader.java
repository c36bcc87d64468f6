package headscope.model;

import headscope.backend.Backend;
import headscope.backend.HeadTransform;
import headscope.model.ModelConfig.Bias;
import headscope.model.ModelConfig.Norm;
import headscope.model.ModelConfig.Placement;
import headscope.model.ModelConfig.QueryKeyNorm;
import headscope.tensor.Buffer;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Reads {@link Weights} from the tensor names and layouts of each family.
 */
final class WeightReader {
    private final ModelConfig config;
    private final Backend backend;
    private final String prefix;
    private final TensorReader tensors;

    private WeightReader(Checkpoint checkpoint, Backend backend, TensorReader tensors) {
        this.config = checkpoint.config();
        this.backend = backend;
        this.tensors = tensors;
        String familyPrefix = switch (config.family()) {
            case GPT2 -> "transformer.";
            case GPT_NEOX -> "gpt_neox.";
            case BERT -> "bert.";
            default -> "model.";
        };
        // Checkpoints of the bare model, without a head, omit the prefix.
        this.prefix = checkpoint.tensors().names().stream().anyMatch(name -> name.startsWith(familyPrefix)) ? familyPrefix : "";
    }

    /** Checks that all tensors are there, in a type that the backend takes, and reads none. */
    static void require(Checkpoint checkpoint, Backend backend) {
        TensorReader names = TensorReader.ofNames(checkpoint.tensors(), backend);
        new WeightReader(checkpoint, backend, names).weights();
        names.requireAll();
        names.requireKept();
    }

    /** @param buffers receives every buffer that is allocated, also if reading fails */
    static Weights read(Checkpoint checkpoint, Backend backend, List<Buffer> buffers) {
        require(checkpoint, backend);
        TensorReader tensors = TensorReader.of(checkpoint.tensors(), backend, buffers);
        Weights weights = new WeightReader(checkpoint, backend, tensors).weights();
        tensors.rejectUnused(checkpoint.config().family());
        tensors.read();
        return weights;
    }

    private Weights weights() {
        return switch (config.family()) {
            case GPT2 -> gpt2();
            case GPT_NEOX -> gptNeox();
            case BERT -> bert();
            default -> llamaLike();
        };
    }

    private Weights gpt2() {
        List<Weights.Layer> layers = new ArrayList<>();
        for (int i = 0; i < config.layers(); i++) {
            String path = prefix + "h." + i + ".";
            Weights.Linear fused = transposedLinear(path + "attn.c_attn", 3L * config.hidden(), config.hidden());
            layers.add(layer(
                    norm(path + "ln_1"), fused,
                    transposedLinear(path + "attn.c_proj", config.hidden(), config.hidden()), Optional.empty(),
                    norm(path + "ln_2"),
                    new Weights.Dense(false,
                            transposedLinear(path + "mlp.c_fc", config.feedForward().width(), config.hidden()),
                            transposedLinear(path + "mlp.c_proj", config.hidden(), config.feedForward().width())),
                    Optional.empty()));
        }
        String embeddingName = prefix + "wte.weight";
        Tensor embedding = embedding(embeddingName);
        return new Weights(
                embedding, Optional.of(tensors.tensor(prefix + "wpe.weight", config.maxTokens(), config.hidden())),
                Optional.empty(), Optional.empty(), layers, norm(prefix + "ln_f"),
                head("lm_head", embeddingName, embedding));
    }

    private Weights gptNeox() {
        List<Weights.Layer> layers = new ArrayList<>();
        for (int i = 0; i < config.layers(); i++) {
            String path = prefix + "layers." + i + ".";
            layers.add(layer(
                    norm(path + "input_layernorm"), splitHeads(path + "attention.query_key_value"),
                    linear(path + "attention.dense", config.hidden(), config.hidden(), config.biases().output()),
                    Optional.empty(),
                    norm(path + "post_attention_layernorm"),
                    new Weights.Dense(false,
                            biasedLinear(path + "mlp.dense_h_to_4h", config.feedForward().width(), config.hidden()),
                            biasedLinear(path + "mlp.dense_4h_to_h", config.hidden(), config.feedForward().width())),
                    Optional.empty()));
        }
        String embeddingName = prefix + "embed_in.weight";
        Tensor embedding = embedding(embeddingName);
        return new Weights(
                embedding, Optional.empty(), Optional.empty(), Optional.empty(), layers,
                norm(prefix + "final_layer_norm"), head("embed_out", embeddingName, embedding));
    }

    private Weights bert() {
        List<Weights.Layer> layers = new ArrayList<>();
        int hidden = config.hidden();
        for (int i = 0; i < config.layers(); i++) {
            String path = prefix + "encoder.layer." + i + ".";
            layers.add(layer(
                    Optional.empty(), queryKeyValue(path + "attention.self.", "query", "key", "value", Bias.USED),
                    biasedLinear(path + "attention.output.dense", hidden, hidden), norm(path + "attention.output.LayerNorm"),
                    Optional.empty(),
                    new Weights.Dense(false,
                            biasedLinear(path + "intermediate.dense", config.feedForward().width(), hidden),
                            biasedLinear(path + "output.dense", hidden, config.feedForward().width())),
                    norm(path + "output.LayerNorm")));
        }
        String path = prefix + "embeddings.";
        String embeddingName = path + "word_embeddings.weight";
        Tensor embedding = embedding(embeddingName);
        String types = path + "token_type_embeddings.weight";
        Tensor segments = tensors.tensor(types, tensors.rows(types, hidden), hidden);
        String decoderBias = "cls.predictions.decoder.bias";
        String tiedBias = "cls.predictions.bias";
        boolean own = !config.vocabulary().tied() || tensors.has(decoderBias);
        Optional<Tensor> bias = Optional.of(tensors.tensor(own ? decoderBias : tiedBias, config.vocabulary().size()));
        tensors.ignore(tiedBias);
        return new Weights(
                embedding, Optional.of(tensors.tensor(path + "position_embeddings.weight", config.maxTokens(), hidden)),
                Optional.of(segments.rows(0, 1).as(hidden)), norm(path + "LayerNorm"), layers, Optional.empty(),
                new Weights.Head(
                        Optional.of(biasedLinear("cls.predictions.transform.dense", hidden, hidden)),
                        norm("cls.predictions.transform.LayerNorm"),
                        new Weights.Linear(
                                head("cls.predictions.decoder", embeddingName, embedding).projection().weight(), bias)));
    }

    private Weights llamaLike() {
        List<Weights.Layer> layers = new ArrayList<>();
        int hidden = config.hidden();
        boolean fused = config.family() == Family.PHI3;
        Bias bias = config.biases().queryKeyValue();
        for (int i = 0; i < config.layers(); i++) {
            String path = prefix + "layers." + i + ".";
            String attention = path + "self_attn.";
            Weights.Linear output = linear(attention + "o_proj", hidden, config.queryWidth(), config.biases().output());
            boolean before = config.norms().placement() != Placement.AFTER;
            boolean around = config.norms().placement() == Placement.AROUND;
            Optional<Weights.Norm> beforeAttention = before ? norm(path + "input_layernorm") : Optional.empty();
            Optional<Weights.Norm> second = norm(path + "post_attention_layernorm");
            Optional<Weights.Norm> afterAttention = before && !around ? Optional.empty() : second;
            Optional<Weights.Norm> beforeFeedForward =
                    around ? norm(path + "pre_feedforward_layernorm") : before ? second : Optional.empty();
            Optional<Weights.Norm> afterFeedForward =
                    before && !around ? Optional.empty() : norm(path + "post_feedforward_layernorm");
            Weights.Linear queryKeyValue = fused
                    ? linear(attention + "qkv_proj", config.joinedWidth(), hidden, bias)
                    : queryKeyValue(attention, "q_proj", "k_proj", "v_proj", bias);
            layers.add(new Weights.Layer(
                    beforeAttention, queryKeyValue, headNorm(attention), sinks(attention + "sinks"), output, afterAttention,
                    beforeFeedForward,
                    config.feedForward().experts().isPresent() ? mixture(path + "mlp.") : gated(path + "mlp.", fused),
                    afterFeedForward));
        }
        String embeddingName = prefix + "embed_tokens.weight";
        Tensor embedding = embedding(embeddingName);
        return new Weights(
                embedding, Optional.empty(), Optional.empty(), Optional.empty(), layers, norm(prefix + "norm"),
                head("lm_head", embeddingName, embedding));
    }

    /** A layer without norms of q and k. */
    private static Weights.Layer layer(
            Optional<Weights.Norm> beforeAttention, Weights.Linear queryKeyValue, Weights.Linear output,
            Optional<Weights.Norm> afterAttention, Optional<Weights.Norm> beforeFeedForward,
            Weights.FeedForward feedForward, Optional<Weights.Norm> afterFeedForward) {
        return new Weights.Layer(
                beforeAttention, queryKeyValue, Optional.empty(), Optional.empty(), output, afterAttention, beforeFeedForward,
                feedForward, afterFeedForward);
    }

    /** Queries, keys and values that are stored apart. */
    private Weights.Linear queryKeyValue(String path, String query, String key, String value, Bias bias) {
        return joined(bias, config.hidden(), new TensorReader.Rows(path + query, config.queryWidth()),
                new TensorReader.Rows(path + key, config.keyWidth()), new TensorReader.Rows(path + value, config.keyWidth()));
    }

    /** One map whose outputs are those of several. */
    private Weights.Linear joined(Bias bias, long in, TensorReader.Rows... maps) {
        List<TensorReader.Rows> biases = suffixed(maps, ".bias");
        if (bias == Bias.SWITCHED_OFF) {
            biases.forEach(part -> tensors.ignore(part.name())); // transformers leaves it unused
        }
        return new Weights.Linear(
                tensors.operand(suffixed(maps, ".weight"), in),
                bias == Bias.USED ? Optional.of(tensors.tensor(biases)) : Optional.empty());
    }

    private static List<TensorReader.Rows> suffixed(TensorReader.Rows[] maps, String suffix) {
        return Arrays.stream(maps).map(map -> new TensorReader.Rows(map.name() + suffix, map.count())).toList();
    }

    /** @param fused whether gate and up are stored as one matrix */
    private Weights.Dense gated(String path, boolean fused) {
        Bias bias = fused ? Bias.NONE : config.biases().feedForward();
        long inner = config.feedForward().width();
        Weights.Linear gateUp = fused
                ? linear(path + "gate_up_proj", 2 * inner, config.hidden(), bias)
                : joined(bias, config.hidden(), new TensorReader.Rows(path + "gate_proj", inner),
                        new TensorReader.Rows(path + "up_proj", inner));
        return new Weights.Dense(true, gateUp, linear(path + "down_proj", config.hidden(), inner, bias));
    }

    /** gpt-oss stores all experts in one tensor, each as [in, out], with alternating outputs of gate and up. */
    private Weights.Mixture mixture(String path) {
        ModelConfig.Experts experts = config.feedForward().experts().orElseThrow();
        int inner = config.feedForward().width();
        int hidden = config.hidden();
        Tensor gateUps = expertMatrices(path + "experts.gate_up_proj", hidden, inner, 2);
        Tensor downs = expertMatrices(path + "experts.down_proj", inner, hidden, 1);
        Tensor gateUpBiases = expertMatrices(path + "experts.gate_up_proj_bias", 1, inner, 2);
        Tensor downBiases = expertMatrices(path + "experts.down_proj_bias", 1, hidden, 1);
        List<Weights.Dense> dense = new ArrayList<>();
        for (int expert = 0; expert < experts.count(); expert++) {
            dense.add(new Weights.Dense(true, expert(gateUps, gateUpBiases, expert), expert(downs, downBiases, expert)));
        }
        return new Weights.Mixture(biasedLinear(path + "router", experts.count(), hidden), dense, experts.perToken());
    }

    private static Weights.Linear expert(Tensor weights, Tensor biases, int expert) {
        return new Weights.Linear(
                weights.rows(expert, 1).as(weights.size(1), weights.size(2)),
                Optional.of(biases.rows(expert, 1).as(biases.size(1))));
    }

    /** Reads a stored tensor [experts, in, out * stride] as [experts, stride * out, in]. Biases have in = 1. */
    private Tensor expertMatrices(String name, long in, long out, int stride) {
        long experts = config.feedForward().expertCount();
        long[] stored = in == 1 ? new long[] {experts, out * stride} : new long[] {experts, in, out * stride};
        long[] shape = {experts, out * stride, in};
        StoredOrder order = StoredOrder.transposed(in, out, stride);
        return in == 1 ? tensors.tensor(name, stored, shape, order) : tensors.operand(name, stored, shape, order);
    }

    private Optional<Tensor> sinks(String name) {
        return config.family() == Family.GPT_OSS ? Optional.of(tensors.tensor(name, config.heads())) : Optional.empty();
    }

    private Optional<HeadTransform.Norm> headNorm(String attention) {
        boolean together = config.norms().queryKey() == QueryKeyNorm.ALL_HEADS;
        return config.norms().queryKey() == QueryKeyNorm.NONE ? Optional.empty() : Optional.of(new HeadTransform.Norm(
                normWeight(attention + "q_norm", together ? config.queryWidth() : config.headDim()),
                normWeight(attention + "k_norm", together ? config.keyWidth() : config.headDim()), config.norms().epsilon()));
    }

    /** A tied head is the embedding, unless the file contains a head with other values. */
    private Weights.Head head(String name, String embeddingName, Tensor embedding) {
        String own = name + ".weight";
        boolean shared = config.vocabulary().tied() && (!tensors.has(own) || tensors.haveSameBytes(own, embeddingName));
        if (shared) {
            tensors.ignore(own);
        }
        return new Weights.Head(Optional.empty(), Optional.empty(), shared
                ? new Weights.Linear(embedding, Optional.empty())
                : unbiasedLinear(name, config.vocabulary().size(), config.hidden()));
    }

    private Tensor embedding(String name) {
        return tensors.operand(name, config.vocabulary().size(), config.hidden());
    }

    private Optional<Weights.Norm> norm(String name) {
        Tensor weight = normWeight(name, config.hidden());
        Optional<Tensor> bias = config.norms().kind() == Norm.LAYER
                ? Optional.of(tensors.tensor(name + ".bias", config.hidden())) : Optional.empty();
        return Optional.of(new Weights.Norm(weight, bias, config.norms().epsilon()));
    }

    private Tensor normWeight(String name, long width) {
        return config.norms().kind() == Norm.RMS_ONE_PLUS
                ? tensors.onePlus(name + ".weight", width)
                : tensors.tensor(name + ".weight", width);
    }

    private Weights.Linear biasedLinear(String name, long out, long in) {
        return linear(name, out, in, Bias.USED);
    }

    private Weights.Linear unbiasedLinear(String name, long out, long in) {
        return linear(name, out, in, Bias.NONE);
    }

    private Weights.Linear linear(String name, long out, long in, Bias bias) {
        return new Weights.Linear(tensors.operand(name + ".weight", out, in), bias(name + ".bias", bias, out));
    }

    private Optional<Tensor> bias(String name, Bias bias, long out) {
        if (bias == Bias.SWITCHED_OFF) {
            tensors.ignore(name); // transformers leaves it unused
        }
        return bias == Bias.USED ? Optional.of(tensors.tensor(name, out)) : Optional.empty();
    }

    /** GPT-2 stores its matrices as [in, out]. */
    private Weights.Linear transposedLinear(String name, long out, long in) {
        return new Weights.Linear(
                tensors.operand(name + ".weight", new long[] {in, out}, new long[] {out, in},
                        StoredOrder.transposed(in, out, 1)),
                bias(name + ".bias", Bias.USED, out));
    }

    /** GPT-NeoX stores its fused rows as (head, q k v, headDim); they are reordered to (q k v, head, headDim). */
    private Weights.Linear splitHeads(String name) {
        long out = 3L * config.hidden();
        long in = config.hidden();
        long[] weight = {out, in};
        long[] bias = {out};
        return new Weights.Linear(
                tensors.operand(name + ".weight", weight, weight, splitHeads(in)),
                config.biases().queryKeyValue() == Bias.USED
                        ? Optional.of(tensors.tensor(name + ".bias", bias, bias, splitHeads(1)))
                        : bias(name + ".bias", config.biases().queryKeyValue(), out));
    }

    /** @param width elements of a row */
    private StoredOrder splitHeads(long width) {
        int heads = config.heads();
        return StoredOrder.blocks(config.headDim() * width, block -> block % heads * 3 + block / heads);
    }
}
