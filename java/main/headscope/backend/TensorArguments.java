package headscope.backend;

import headscope.tensor.DType;
import headscope.tensor.Tensor;

/** Checks of the tensors that are given to an operation. Each throws an {@link IllegalArgumentException} that names it. */
final class TensorArguments {
    private TensorArguments() {}

    static void check(boolean holds, String operation, String rule, Object... values) {
        if (!holds) {
            throw new IllegalArgumentException(operation + ": " + rule.formatted(values));
        }
    }

    static void floats(String operation, Tensor... tensors) {
        for (Tensor tensor : tensors) {
            check(tensor.dtype() == DType.F32, operation, "%s is not F32", tensor);
            check(tensor.buffer().isOpen(), operation, "%s is closed", tensor);
        }
    }

    /** Requires F32 or another type, that of the backend's operands or weights. */
    static void operand(String operation, Tensor tensor, DType other) {
        check(tensor.dtype() == DType.F32 || tensor.dtype() == other, operation,
                other == DType.F32 ? "%s is not F32" : "%s is neither F32 nor %s", tensor, other);
        check(tensor.buffer().isOpen(), operation, "%s is closed", tensor);
    }
}
