package headscope.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/**
 * The values of keys that config.json lacks: the defaults of the configuration classes of transformers 5.18. A key
 * without a default here has no meaning in that family.
 */
final class ConfigDefaults {
    private static final String GPT2 = """
            {"vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12, "n_inner": null,
            "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "scale_attn_weights": true,
            "scale_attn_by_inverse_layer_idx": false, "add_cross_attention": false, "tie_word_embeddings": true}""";

    private static final String GPT_NEOX = """
            {"vocab_size": 50432, "hidden_size": 6144, "num_hidden_layers": 44, "num_attention_heads": 64,
            "intermediate_size": 24576, "hidden_act": "gelu", "max_position_embeddings": 2048, "layer_norm_eps": 1e-5,
            "tie_word_embeddings": false, "use_parallel_residual": true, "attention_bias": true,
            "rotary_emb_base": 10000, "rotary_pct": 0.25}""";

    private static final String BERT = """
            {"vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
            "intermediate_size": 3072, "hidden_act": "gelu", "max_position_embeddings": 512, "layer_norm_eps": 1e-12,
            "is_decoder": false, "add_cross_attention": false, "position_embedding_type": "absolute", "tie_word_embeddings": true}""";

    private static final String LLAMA = """
            {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
            "num_attention_heads": 32, "num_key_value_heads": null, "head_dim": null, "hidden_act": "silu",
            "max_position_embeddings": 2048, "rms_norm_eps": 1e-6, "tie_word_embeddings": false,
            "attention_bias": false, "mlp_bias": false, "rope_theta": 10000}""";

    private static final String MISTRAL = """
            {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
            "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": null, "hidden_act": "silu",
            "max_position_embeddings": 131072, "rms_norm_eps": 1e-6, "tie_word_embeddings": false,
            "sliding_window": 4096, "rope_theta": 10000}""";

    private static final String QWEN2 = """
            {"vocab_size": 151936, "hidden_size": 4096, "intermediate_size": 22016, "num_hidden_layers": 32,
            "num_attention_heads": 32, "num_key_value_heads": 32, "head_dim": null, "hidden_act": "silu",
            "max_position_embeddings": 32768, "rms_norm_eps": 1e-6, "tie_word_embeddings": false,
            "use_sliding_window": false, "sliding_window": 4096, "max_window_layers": 28, "rope_theta": 10000}""";

    private static final String QWEN3 = """
            {"vocab_size": 151936, "hidden_size": 4096, "intermediate_size": 22016, "num_hidden_layers": 32,
            "num_attention_heads": 32, "num_key_value_heads": 32, "head_dim": 128, "hidden_act": "silu",
            "max_position_embeddings": 32768, "rms_norm_eps": 1e-6, "tie_word_embeddings": false,
            "attention_bias": false, "use_sliding_window": false, "sliding_window": 4096, "max_window_layers": 28,
            "rope_theta": 10000}""";

    private static final String GEMMA2 = """
            {"vocab_size": 256000, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
            "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256,
            "hidden_activation": "gelu_pytorch_tanh", "max_position_embeddings": 8192, "rms_norm_eps": 1e-6,
            "tie_word_embeddings": true, "attention_bias": false, "query_pre_attn_scalar": 256,
            "sliding_window": 4096, "final_logit_softcapping": 30.0, "attn_logit_softcapping": 50.0,
            "use_bidirectional_attention": null, "rope_theta": 10000}""";

    private static final String GEMMA3_TEXT = """
            {"vocab_size": 262208, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
            "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256,
            "hidden_activation": "gelu_pytorch_tanh", "max_position_embeddings": 131072, "rms_norm_eps": 1e-6,
            "tie_word_embeddings": true, "attention_bias": false, "query_pre_attn_scalar": 256,
            "sliding_window": 4096, "sliding_window_pattern": 6, "final_logit_softcapping": null,
            "use_bidirectional_attention": false, "rope_theta": 1000000, "rope_local_base_freq": 10000}""";

    private static final String PHI3 = """
            {"vocab_size": 32064, "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 32,
            "num_attention_heads": 32, "num_key_value_heads": null, "head_dim": null, "hidden_act": "silu",
            "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "tie_word_embeddings": false,
            "sliding_window": null, "rope_theta": 10000, "partial_rotary_factor": 1}""";

    private static final String OLMO2 = """
            {"vocab_size": 50304, "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32,
            "num_attention_heads": 32, "num_key_value_heads": null, "head_dim": null, "hidden_act": "silu",
            "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "tie_word_embeddings": false,
            "attention_bias": false, "rope_theta": 10000}""";

    private static final String GPT_OSS = """
            {"vocab_size": 201088, "hidden_size": 2880, "intermediate_size": 2880, "num_hidden_layers": 36,
            "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64, "max_position_embeddings": 131072,
            "rms_norm_eps": 1e-5, "tie_word_embeddings": false, "attention_bias": true, "sliding_window": 128,
            "num_local_experts": 128, "num_experts_per_tok": 4, "rope_theta": 150000}""";

    private ConfigDefaults() {}

    static ObjectNode of(Family family) {
        try {
            return (ObjectNode) new ObjectMapper().readTree(switch (family) {
                case GPT2 -> GPT2;
                case GPT_NEOX -> GPT_NEOX;
                case BERT -> BERT;
                case LLAMA -> LLAMA;
                case MISTRAL -> MISTRAL;
                case QWEN2 -> QWEN2;
                case QWEN3 -> QWEN3;
                case GEMMA2 -> GEMMA2;
                case GEMMA3_TEXT -> GEMMA3_TEXT;
                case PHI3 -> PHI3;
                case OLMO2 -> OLMO2;
                case GPT_OSS -> GPT_OSS;
            });
        } catch (JsonProcessingException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** Other names of keys; a value under the other name takes precedence. */
    static Map<String, String> aliases(Family family) {
        return switch (family) {
            case GPT2 -> Map.of(
                    "hidden_size", "n_embd", "max_position_embeddings", "n_positions",
                    "num_attention_heads", "n_head", "num_hidden_layers", "n_layer");
            case GPT_OSS -> Map.of("num_experts", "num_local_experts");
            default -> Map.of();
        };
    }
}
