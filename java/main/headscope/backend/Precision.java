package headscope.backend;

import headscope.tensor.DType;

/** Precision of matrix products on a GPU. Everything else is computed in fp32. */
public enum Precision {
    F32(DType.F32),
    /** Operands are stored in fp32 and multiplied with 10 bits of mantissa. */
    TF32(DType.F32),
    /** Weights, keys and values are stored in 16 bits; the other operand is rounded to 16 bits for the product. */
    BF16(DType.BF16),
    F16(DType.F16);

    public final DType operands;

    Precision(DType operands) {
        this.operands = operands;
    }
}
