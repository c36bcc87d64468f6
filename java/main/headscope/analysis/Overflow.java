package headscope.analysis;

import headscope.backend.Backend;
import headscope.tensor.DType;

/** What to do if a model computes an infinity or a NaN on a text. */
public final class Overflow {
    private Overflow() {}

    /** A part of a sentence that says where the model overflows and what to do, in the precision of the backend. */
    public static String remedy(Backend backend) {
        return backend.operands() == DType.F16
                ? "the model overflows in f16: use --dtype bf16 or f32"
                : "the model overflows in %s: find the operation with --check, and compare config.json and the weights with"
                        .formatted(backend.operands() == DType.BF16 ? "bf16" : "f32") + " those that were published";
    }
}
