package headscope.backend;

import headscope.tensor.DType;
import java.util.Arrays;
import java.util.Optional;

/** Precision of matrix products on a GPU. Everything else is computed in fp32. */
public enum Precision {
    F32(DType.F32),
    /** Operands are stored in fp32 and multiplied with 10 bits of mantissa. */
    TF32(DType.F32),
    /** Weights, keys and values are stored in 16 bits; the other operand is rounded to 16 bits for the product. */
    BF16(DType.BF16),
    F16(DType.F16);

    private static final String AUTO = "auto";

    public final DType operands;

    Precision(DType operands) {
        this.operands = operands;
    }

    /**
     * Reads a name on the command line.
     *
     * @return empty for "auto"
     * @throws IllegalArgumentException if the name is unknown
     */
    public static Optional<Precision> parse(String name) {
        if (name.equalsIgnoreCase(AUTO)) {
            return Optional.empty();
        }
        return Optional.of(Arrays.stream(values()).filter(one -> one.name().equalsIgnoreCase(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "unknown dtype \"%s\"; known are auto, f32, tf32, bf16, f16".formatted(name))));
    }
}
