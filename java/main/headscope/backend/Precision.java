package headscope.backend;

import headscope.tensor.DType;

/** In what a GPU multiplies matrices, and keeps weights, keys and values. Sums and all else are fp32. */
public enum Precision {
    F32(DType.F32),
    /** Kept as fp32, multiplied with 10 bits of mantissa. */
    TF32(DType.F32),
    BF16(DType.BF16),
    F16(DType.F16);

    public final DType operands;

    Precision(DType operands) {
        this.operands = operands;
    }
}
