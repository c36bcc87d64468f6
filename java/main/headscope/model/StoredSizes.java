package headscope.model;

import headscope.tensor.ModelFormatException;
import headscope.tensor.Printable;
import headscope.tensor.Safetensors;
import headscope.tensor.StoredTensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Compares the sizes in config.json with the tensors of the checkpoint, before anything is allocated. {@link WeightReader}
 * compares every shape when it reads the weights; these are the sizes on which everything before that depends.
 */
final class StoredSizes {
    private static final Pattern LAYER = Pattern.compile("(?:^|.*\\.)(?:h|layers?)\\.(\\d{1,9})\\..*");

    private final Path folder;
    private final ModelConfig config;
    private final Safetensors tensors;

    private StoredSizes(Path folder, ModelConfig config, Safetensors tensors) {
        this.folder = folder;
        this.config = config;
        this.tensors = tensors;
    }

    /** @throws ModelFormatException if config.json and the tensors disagree */
    static void require(Path folder, ModelConfig config, Safetensors tensors) {
        StoredSizes sizes = new StoredSizes(folder, config, tensors);
        sizes.requireLayers();
        sizes.requireEmbeddings();
        sizes.requireFirstLayer();
    }

    private void requireLayers() {
        OptionalInt last = tensors.names().stream()
                .map(LAYER::matcher)
                .filter(Matcher::matches)
                .mapToInt(name -> Integer.parseInt(name.group(1)))
                .max();
        if (last.isPresent() && last.getAsInt() + 1 != config.layers()) {
            throw new ModelFormatException(folder.resolve("config.json"),
                    "states %d layers, but the weights have %d".formatted(config.layers(), last.getAsInt() + 1));
        }
    }

    private void requireEmbeddings() {
        long hidden = config.hidden();
        long vocabulary = config.vocabulary().size();
        switch (config.family()) {
            case GPT2 -> {
                shape("wte.weight", vocabulary, hidden);
                shape("wpe.weight", config.maxTokens(), hidden);
            }
            case GPT_NEOX -> shape("embed_in.weight", vocabulary, hidden);
            case BERT -> {
                shape("embeddings.word_embeddings.weight", vocabulary, hidden);
                shape("embeddings.position_embeddings.weight", config.maxTokens(), hidden);
            }
            default -> shape("embed_tokens.weight", vocabulary, hidden);
        }
    }

    private void requireFirstLayer() {
        long hidden = config.hidden();
        long width = config.feedForward().width();
        long query = (long) config.heads() * config.headDim();
        long key = (long) config.kvHeads() * config.headDim();
        switch (config.family()) {
            case GPT2 -> {
                shape("h.0.attn.c_attn.weight", hidden, 3 * query);
                shape("h.0.mlp.c_fc.weight", hidden, width);
            }
            case GPT_NEOX -> {
                shape("layers.0.attention.query_key_value.weight", 3 * query, hidden);
                shape("layers.0.mlp.dense_h_to_4h.weight", width, hidden);
            }
            case BERT -> {
                shape("layer.0.attention.self.query.weight", query, hidden);
                shape("layer.0.intermediate.dense.weight", width, hidden);
            }
            case PHI3 -> {
                shape("layers.0.self_attn.qkv_proj.weight", query + 2 * key, hidden);
                shape("layers.0.mlp.gate_up_proj.weight", 2 * width, hidden);
            }
            default -> {
                shape("layers.0.self_attn.q_proj.weight", query, hidden);
                shape("layers.0.self_attn.k_proj.weight", key, hidden);
                config.feedForward().experts().ifPresentOrElse(
                        experts -> requireExperts(experts, width, hidden),
                        () -> shape("layers.0.mlp.gate_proj.weight", width, hidden));
            }
        }
    }

    private void requireExperts(ModelConfig.Experts experts, long width, long hidden) {
        shape("layers.0.mlp.router.weight", experts.count(), hidden);
        shape("layers.0.mlp.experts.down_proj", experts.count(), width, hidden);
    }

    /** A tensor that is missing is reported by {@link WeightReader}. */
    private void shape(String name, long... shape) {
        Optional<StoredTensor> found = tensors.names().stream()
                .filter(stored -> stored.equals(name) || stored.endsWith("." + name))
                .findFirst()
                .map(tensors::get);
        if (found.isPresent() && !Arrays.equals(found.get().shape(), shape)) {
            throw new ModelFormatException(found.get().file(), "tensor " + Printable.quote(found.get().name()),
                    "has shape %s, but config.json requires %s"
                            .formatted(Arrays.toString(found.get().shape()), Arrays.toString(shape)));
        }
    }
}
