package headscope.backend;

/** The feed-forward layer's non-linearity. */
public enum Activation {
    /** x Phi(x), Phi by the error function. */
    GELU,
    /** x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. */
    GELU_TANH,
    /** x / (1 + exp(-x)). */
    SILU,
    /** gpt-oss: x / (1 + exp(-1.702 x)) of x clamped to at most 7; as a gate, on up clamped to +-7, plus 1. */
    CLAMPED_SILU,
    /** max(x, 0). */
    RELU
}
