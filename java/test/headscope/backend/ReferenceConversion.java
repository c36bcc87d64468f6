package headscope.backend;

import static headscope.backend.Reference.get;
import static headscope.backend.Reference.set;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import headscope.tensor.DType;
import headscope.tensor.Tensor;

/** Rounding to F16 and BF16, to nearest with ties to even. */
final class ReferenceConversion {
    private ReferenceConversion() {}

    static void convert(Tensor destination, Tensor source) {
        for (long i = 0; i < source.count(); i++) {
            double value = switch (source.dtype()) {
                case F32 -> get(source, i);
                case F16 -> Float.float16ToFloat(source.bytes().getAtIndex(JAVA_SHORT, i));
                default -> Float.intBitsToFloat(source.bytes().getAtIndex(JAVA_SHORT, i) << 16);
            };
            switch (destination.dtype()) {
                case F32 -> set(destination, i, value);
                case F16 -> destination.bytes().setAtIndex(JAVA_SHORT, i, Float.floatToFloat16((float) value));
                default -> destination.bytes().setAtIndex(
                        JAVA_SHORT, i, (short) (Float.floatToRawIntBits(eightBits(value)) >>> 16));
            }
        }
    }

    /** Rounds to 8 significant bits; infinity on overflow. */
    private static float eightBits(double value) {
        int unit = Math.max(Math.getExponent(value), Float.MIN_EXPONENT) - 7;
        return Double.isFinite(value) ? (float) Math.scalb(Math.rint(Math.scalb(value, -unit)), unit) : (float) value;
    }

    /** The nearest values of a type, as fp32. */
    static float[] rounded(DType type, float[] values) {
        try (TensorScope on = new TensorScope(new Reference())) {
            Tensor wide = on.tensor(values, values.length);
            Tensor narrow = on.allocate(type, values.length);
            convert(narrow, wide);
            convert(wide, narrow);
            return on.backend.download(wide);
        }
    }
}
