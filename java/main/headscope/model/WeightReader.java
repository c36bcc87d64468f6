package headscope.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.Backend;
import headscope.model.ModelConfig.Norm;
import headscope.model.ModelConfig.Placement;
import headscope.model.ModelConfig.QueryKeyNorm;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import headscope.tensor.StoredTensor;
import headscope.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Reads {@link Weights} from the tensor names and layouts of each family. Every tensor of the checkpoint must be used,
 * except buffers that hold no parameters: an unused parameter means that the model differs from config.json.
 */
final class WeightReader {
    /** Masks, rotary frequencies and heads for other tasks. */
    private static final Pattern NOT_PARAMETERS = Pattern.compile(
            ".*(\\.attn\\.(masked_)?bias|attention\\.(masked_)?bias|inv_freq|position_ids)|bert\\.pooler\\..*|cls\\.seq_relationship\\..*");

    private final Safetensors file;
    private final ModelConfig config;
    private final Backend backend;
    private final String prefix;
    private final Set<String> used = new LinkedHashSet<>();
    private final List<Buffer> buffers;

    private WeightReader(Checkpoint checkpoint, Backend backend, List<Buffer> buffers) {
        this.file = checkpoint.tensors();
        this.config = checkpoint.config();
        this.backend = backend;
        this.buffers = buffers;
        String familyPrefix = switch (config.family()) {
            case GPT2 -> "transformer.";
            case GPT_NEOX -> "gpt_neox.";
            case BERT -> "bert.";
            default -> "model.";
        };
        // Checkpoints of the bare model, without a head, omit the prefix.
        this.prefix = file.names().stream().anyMatch(name -> name.startsWith(familyPrefix)) ? familyPrefix : "";
    }

    /** @param buffers receives every buffer that is allocated, also if reading fails */
    static Weights read(Checkpoint checkpoint, Backend backend, List<Buffer> buffers) {
        WeightReader reader = new WeightReader(checkpoint, backend, buffers);
        Weights weights = switch (checkpoint.config().family()) {
            case GPT2 -> reader.gpt2();
            case GPT_NEOX -> reader.gptNeox();
            case BERT -> reader.bert();
            default -> reader.llamaLike();
        };
        reader.rejectUnusedTensors();
        return weights;
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
                    new Weights.Dense(Optional.empty(),
                            transposedLinear(path + "mlp.c_fc", config.feedForward().width(), config.hidden()),
                            transposedLinear(path + "mlp.c_proj", config.hidden(), config.feedForward().width())),
                    Optional.empty()));
        }
        Tensor embedding = embedding(prefix + "wte.weight");
        return new Weights(
                embedding, Optional.of(tensor(prefix + "wpe.weight", config.maxTokens(), config.hidden())),
                Optional.empty(), Optional.empty(), layers, norm(prefix + "ln_f"), head("lm_head", embedding));
    }

    private Weights gptNeox() {
        List<Weights.Layer> layers = new ArrayList<>();
        for (int i = 0; i < config.layers(); i++) {
            String path = prefix + "layers." + i + ".";
            layers.add(layer(
                    norm(path + "input_layernorm"), splitHeads(path + "attention.query_key_value"),
                    linear(path + "attention.dense", config.hidden(), config.hidden()), Optional.empty(),
                    norm(path + "post_attention_layernorm"),
                    new Weights.Dense(Optional.empty(),
                            linear(path + "mlp.dense_h_to_4h", config.feedForward().width(), config.hidden()),
                            linear(path + "mlp.dense_4h_to_h", config.hidden(), config.feedForward().width())),
                    Optional.empty()));
        }
        Tensor embedding = embedding(prefix + "embed_in.weight");
        return new Weights(
                embedding, Optional.empty(), Optional.empty(), Optional.empty(), layers,
                norm(prefix + "final_layer_norm"), head("embed_out", embedding));
    }

    private Weights bert() {
        List<Weights.Layer> layers = new ArrayList<>();
        int hidden = config.hidden();
        for (int i = 0; i < config.layers(); i++) {
            String path = prefix + "encoder.layer." + i + ".";
            layers.add(new Weights.Layer(
                    Optional.empty(), linear(path + "attention.self.query", hidden, hidden),
                    linear(path + "attention.self.key", hidden, hidden),
                    linear(path + "attention.self.value", hidden, hidden), Optional.empty(), Optional.empty(),
                    Optional.empty(),
                    linear(path + "attention.output.dense", hidden, hidden), norm(path + "attention.output.LayerNorm"),
                    Optional.empty(),
                    new Weights.Dense(Optional.empty(),
                            linear(path + "intermediate.dense", config.feedForward().width(), hidden),
                            linear(path + "output.dense", hidden, config.feedForward().width())),
                    norm(path + "output.LayerNorm")));
        }
        String path = prefix + "embeddings.";
        Tensor embedding = embedding(path + "word_embeddings.weight");
        StoredTensor types = file.get(path + "token_type_embeddings.weight");
        Tensor segments = tensor(types.name(), types.shape()[0], hidden);
        Optional<Tensor> bias = Optional.of(tensor("cls.predictions.bias", config.vocabulary().size()));
        used.add("cls.predictions.decoder.bias"); // a copy of cls.predictions.bias
        return new Weights(
                embedding, Optional.of(tensor(path + "position_embeddings.weight", config.maxTokens(), hidden)),
                Optional.of(segments.rows(0, 1).as(hidden)), norm(path + "LayerNorm"), layers, Optional.empty(),
                new Weights.Head(
                        Optional.of(linear("cls.predictions.transform.dense", hidden, hidden)),
                        norm("cls.predictions.transform.LayerNorm"),
                        new Weights.Linear(head("cls.predictions.decoder", embedding).projection().weight(), bias)));
    }

    private Weights llamaLike() {
        List<Weights.Layer> layers = new ArrayList<>();
        int hidden = config.hidden();
        boolean fused = config.family() == Family.PHI3;
        for (int i = 0; i < config.layers(); i++) {
            String path = prefix + "layers." + i + ".";
            String attention = path + "self_attn.";
            Weights.Linear output = linear(attention + "o_proj", hidden, config.queryWidth());
            boolean before = config.norms().placement() != Placement.AFTER;
            boolean around = config.norms().placement() == Placement.AROUND;
            Optional<Weights.Norm> beforeAttention = before ? norm(path + "input_layernorm") : Optional.empty();
            Optional<Weights.Norm> second = norm(path + "post_attention_layernorm");
            Optional<Weights.Norm> afterAttention = before && !around ? Optional.empty() : second;
            Optional<Weights.Norm> beforeFeedForward =
                    around ? norm(path + "pre_feedforward_layernorm") : before ? second : Optional.empty();
            Optional<Weights.Norm> afterFeedForward =
                    before && !around ? Optional.empty() : norm(path + "post_feedforward_layernorm");
            layers.add(fused
                    ? layer(beforeAttention,
                            linear(attention + "qkv_proj", config.queryWidth() + 2L * config.keyWidth(), hidden),
                            output, afterAttention, beforeFeedForward, fusedFeedForward(path + "mlp."),
                            afterFeedForward)
                    : new Weights.Layer(
                            beforeAttention, linear(attention + "q_proj", config.queryWidth(), hidden),
                            linear(attention + "k_proj", config.keyWidth(), hidden),
                            linear(attention + "v_proj", config.keyWidth(), hidden),
                            queryKeyNorm(attention + "q_norm"), queryKeyNorm(attention + "k_norm"),
                            sinks(attention + "sinks"), output, afterAttention, beforeFeedForward,
                            config.feedForward().experts().isPresent()
                                    ? mixture(path + "mlp.")
                                    : gated(path + "mlp."),
                            afterFeedForward));
        }
        Tensor embedding = embedding(prefix + "embed_tokens.weight");
        return new Weights(
                embedding, Optional.empty(), Optional.empty(), Optional.empty(), layers, norm(prefix + "norm"),
                head("lm_head", embedding));
    }

    /** A layer whose q, k and v projections are consecutive rows of one matrix. */
    private Weights.Layer layer(
            Optional<Weights.Norm> beforeAttention, Weights.Linear fused, Weights.Linear output,
            Optional<Weights.Norm> afterAttention, Optional<Weights.Norm> beforeFeedForward,
            Weights.FeedForward feedForward, Optional<Weights.Norm> afterFeedForward) {
        long query = config.queryWidth();
        long key = config.keyWidth();
        return new Weights.Layer(
                beforeAttention, rows(fused, 0, query), rows(fused, query, key), rows(fused, query + key, key),
                Optional.empty(), Optional.empty(), Optional.empty(), output, afterAttention, beforeFeedForward,
                feedForward, afterFeedForward);
    }

    private Weights.Dense gated(String path) {
        return new Weights.Dense(
                Optional.of(linear(path + "gate_proj", config.feedForward().width(), config.hidden())),
                linear(path + "up_proj", config.feedForward().width(), config.hidden()),
                linear(path + "down_proj", config.hidden(), config.feedForward().width()));
    }

    /** gpt-oss stores all experts in one tensor, each as [in, out], with alternating outputs of gate and up. */
    private Weights.Mixture mixture(String path) {
        ModelConfig.Experts experts = config.feedForward().experts().orElseThrow();
        int inner = config.feedForward().width();
        int hidden = config.hidden();
        Tensor gates = expertMatrices(path + "experts.gate_up_proj", hidden, inner, 2, 0);
        Tensor ups = expertMatrices(path + "experts.gate_up_proj", hidden, inner, 2, 1);
        Tensor downs = expertMatrices(path + "experts.down_proj", inner, hidden, 1, 0);
        Tensor gateBiases = expertMatrices(path + "experts.gate_up_proj_bias", 1, inner, 2, 0);
        Tensor upBiases = expertMatrices(path + "experts.gate_up_proj_bias", 1, inner, 2, 1);
        Tensor downBiases = expertMatrices(path + "experts.down_proj_bias", 1, hidden, 1, 0);
        List<Weights.Dense> dense = new ArrayList<>();
        for (int expert = 0; expert < experts.count(); expert++) {
            dense.add(new Weights.Dense(
                    Optional.of(expert(gates, gateBiases, expert)), expert(ups, upBiases, expert),
                    expert(downs, downBiases, expert)));
        }
        return new Weights.Mixture(linear(path + "router", experts.count(), hidden), dense, experts.perToken());
    }

    private static Weights.Linear expert(Tensor weights, Tensor biases, int expert) {
        return new Weights.Linear(
                weights.rows(expert, 1).as(weights.size(1), weights.size(2)),
                Optional.of(biases.rows(expert, 1).as(biases.size(1))));
    }

    /**
     * Reads the outputs first, first + stride, ... of a stored tensor [experts, in, out * stride] as
     * [experts, out, in]. Biases have in = 1.
     */
    private Tensor expertMatrices(String name, long in, long out, int stride, int first) {
        long experts = config.feedForward().expertCount();
        long[] stored = in == 1 ? new long[] {experts, out * stride} : new long[] {experts, in, out * stride};
        DType dtype = in == 1 ? DType.F32 : backend.operands();
        return reordered(dtype, name, stored, new long[] {experts, out, in}, (to, from) -> {
            for (long i = 0; i < experts * out * in; i++) {
                long source = i / (out * in) * in + i % in;
                to.setAtIndex(JAVA_FLOAT, i,
                        from.getAtIndex(JAVA_FLOAT, (source * out + i / in % out) * stride + first));
            }
        });
    }

    private Optional<Tensor> sinks(String name) {
        return config.family() == Family.GPT_OSS ? Optional.of(tensor(name, config.heads())) : Optional.empty();
    }

    private Weights.FeedForward fusedFeedForward(String path) {
        long inner = config.feedForward().width();
        Weights.Linear fused = linear(path + "gate_up_proj", 2 * inner, config.hidden());
        return new Weights.Dense(
                Optional.of(rows(fused, 0, inner)), rows(fused, inner, inner),
                linear(path + "down_proj", config.hidden(), inner));
    }

    private static Weights.Linear rows(Weights.Linear fused, long first, long count) {
        return new Weights.Linear(
                fused.weight().rows(first, count), fused.bias().map(bias -> bias.rows(first, count)));
    }

    private Optional<Weights.Norm> queryKeyNorm(String name) {
        return config.norms().queryKey() == QueryKeyNorm.NONE ? Optional.empty() : norm(name);
    }

    private Weights.Head head(String name, Tensor embedding) {
        // The file may contain a copy of a tied head.
        if (config.vocabulary().tied()) {
            used.add(name + ".weight");
            return new Weights.Head(
                    Optional.empty(), Optional.empty(), new Weights.Linear(embedding, Optional.empty()));
        }
        return new Weights.Head(
                Optional.empty(), Optional.empty(), linear(name, config.vocabulary().size(), config.hidden()));
    }

    private Tensor embedding(String name) {
        return operand(name, config.vocabulary().size(), config.hidden());
    }

    private Optional<Weights.Norm> norm(String name) {
        long[] shape = file.get(name + ".weight").shape();
        Tensor weight = config.norms().kind() == Norm.RMS_ONE_PLUS
                ? reordered(DType.F32, name + ".weight", shape, shape, WeightReader::onePlus)
                : tensor(name + ".weight", shape);
        Optional<Tensor> bias =
                config.norms().kind() == Norm.LAYER ? Optional.of(tensor(name + ".bias", shape)) : Optional.empty();
        return Optional.of(new Weights.Norm(weight, bias, config.norms().epsilon()));
    }

    private static void onePlus(MemorySegment to, MemorySegment stored) {
        for (long i = 0; i < stored.byteSize() / Float.BYTES; i++) {
            to.setAtIndex(JAVA_FLOAT, i, 1 + stored.getAtIndex(JAVA_FLOAT, i));
        }
    }

    private Weights.Linear linear(String name, long out, long in) {
        return new Weights.Linear(operand(name + ".weight", out, in), bias(name, out));
    }

    private Optional<Tensor> bias(String name, long out) {
        return file.has(name + ".bias") ? Optional.of(tensor(name + ".bias", out)) : Optional.empty();
    }

    /** GPT-2 stores its matrices as [in, out]. */
    private Weights.Linear transposedLinear(String name, long out, long in) {
        Reordering transposed = (to, stored) -> {
            for (long row = 0; row < out; row++) {
                for (long column = 0; column < in; column++) {
                    to.setAtIndex(JAVA_FLOAT, row * in + column, stored.getAtIndex(JAVA_FLOAT, column * out + row));
                }
            }
        };
        return new Weights.Linear(
                reordered(backend.operands(), name + ".weight", new long[] {in, out}, new long[] {out, in}, transposed),
                bias(name, out));
    }

    /** GPT-NeoX stores its fused rows as (head, q k v, headDim); they are reordered to (q k v, head, headDim). */
    private Weights.Linear splitHeads(String name) {
        long out = 3L * config.hidden();
        long in = config.hidden();
        return new Weights.Linear(
                reordered(
                        backend.operands(), name + ".weight", new long[] {out, in}, new long[] {out, in},
                        splitHeads(in)),
                Optional.of(reordered(DType.F32, name + ".bias", new long[] {out}, new long[] {out}, splitHeads(1))));
    }

    private Reordering splitHeads(long width) {
        long bytes = config.headDim() * width * Float.BYTES;
        return (to, stored) -> {
            for (int head = 0; head < config.heads(); head++) {
                for (int part = 0; part < 3; part++) {
                    MemorySegment.copy(stored, (head * 3L + part) * bytes,
                            to, ((long) part * config.heads() + head) * bytes, bytes);
                }
            }
        };
    }

    /** Copies fp32 elements from their stored order to the order in which they are used. */
    private interface Reordering {
        void fill(MemorySegment to, MemorySegment stored);
    }

    private Tensor tensor(String name, long... shape) {
        return asStored(DType.F32, name, shape);
    }

    /** A tensor of {@link Backend#operands}. */
    private Tensor operand(String name, long... shape) {
        return asStored(backend.operands(), name, shape);
    }

    private Tensor asStored(DType dtype, String name, long... shape) {
        try (Arena staging = Arena.ofConfined()) {
            return upload(dtype, stored(name, staging, shape), shape);
        }
    }

    private Tensor reordered(
            DType dtype, String name, long[] storedShape, long[] shape, Reordering reordering) {
        try (Arena staging = Arena.ofConfined()) {
            MemorySegment stored = stored(name, staging, storedShape);
            MemorySegment used = staging.allocate(Tensor.count(shape) * Float.BYTES, Float.BYTES);
            reordering.fill(used, stored);
            return upload(dtype, used, shape);
        }
    }

    private MemorySegment stored(String name, Arena staging, long... shape) {
        StoredTensor tensor = checked(name, shape);
        MemorySegment values = staging.allocate(tensor.count() * Float.BYTES, Float.BYTES);
        tensor.copyTo(values);
        for (long i = 0; i < tensor.count(); i++) {
            float value = values.getAtIndex(JAVA_FLOAT, i);
            if (!Float.isFinite(value)) {
                throw new ModelFormatException(tensor.file(), "tensor \"" + name + "\"",
                        "element %d is %s; the weights are damaged".formatted(i, value));
            }
        }
        return values;
    }

    private Tensor upload(DType dtype, MemorySegment values, long... shape) {
        Tensor tensor = backend.allocate(dtype, shape);
        buffers.add(tensor.buffer());
        if (dtype == DType.F32) {
            backend.upload(tensor, values);
        } else {
            Tensor exact = backend.allocate(DType.F32, shape);
            backend.upload(exact, values);
            backend.convert(tensor, exact);
            exact.buffer().close();
        }
        return tensor;
    }

    private StoredTensor checked(String name, long... shape) {
        StoredTensor stored = file.get(name);
        if (!Arrays.equals(stored.shape(), shape)) {
            throw new ModelFormatException(stored.file(), "tensor \"" + name + "\"",
                    "has shape %s, but config.json requires %s".formatted(Arrays.toString(stored.shape()), Arrays.toString(shape)));
        }
        used.add(name);
        return stored;
    }

    private void rejectUnusedTensors() {
        Set<String> unused = new TreeSet<>(file.names());
        unused.removeAll(used);
        unused.removeIf(name -> NOT_PARAMETERS.matcher(name).matches());
        if (!unused.isEmpty()) {
            String first = unused.iterator().next();
            throw new ModelFormatException(file.get(first).file(), "tensor \"" + first + "\"",
                    "is not part of a %s model with this config.json (unused tensors: %d)"
                            .formatted(config.family().modelType(), unused.size()));
        }
    }
}
