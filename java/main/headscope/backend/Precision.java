package headscope.backend;

import headscope.tensor.DType;

/** In what a GPU multiplies matrices. What is kept, and all else, is fp32. */
public enum Precision {
    F32(DType.F32),
    /** Kept as fp32, multiplied with 10 bits of mantissa. */
    TF32(DType.F32),
    /** Weights, keys and values are kept in 16 bits, and what they are multiplied with is rounded to it. */
    BF16(DType.BF16),
    F16(DType.F16);

    public final DType operands;

    Precision(DType operands) {
        this.operands = operands;
    }
}
