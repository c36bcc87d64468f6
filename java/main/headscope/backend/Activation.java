package headscope.backend;

/** Activation function of a feed-forward layer. */
public enum Activation {
    /** x Phi(x), with the normal distribution function Phi computed exactly, by the error function. */
    GELU,
    /** x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. */
    GELU_TANH,
    /** x / (1 + exp(-x)). */
    SILU,
    /** x / (1 + exp(-1.702 x)). */
    QUICK_GELU,
    /**
     * x / (1 + exp(-1.702 x)) with x clamped to at most 7; {@link Backend#gate} clamps up to [-7, 7] and adds 1.
     * gpt-oss.
     */
    CLAMPED_SILU,
    /** max(x, 0). */
    RELU
}
