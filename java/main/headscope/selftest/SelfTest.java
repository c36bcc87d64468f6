package headscope.selftest;

import headscope.backend.Backend;
import headscope.backend.Precision;
import headscope.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Compares every operation of a device with the CPU backend, on sizes below, at and above the widths of warps, tiles
 * and registers. Inputs are rounded to the type of the device's operands beforehand, so that only the arithmetic
 * differs.
 */
public final class SelfTest {
    private static final int[] HEAD_DIMS = {64, 16, 32, 80, 96, 128, 256, 24};
    private static final int[] LENGTHS = {1, 17, 33, 64, 129, 257};

    /**
     * The outcome of one case.
     *
     * @param error largest difference, relative to the largest value of the result; NaN without a result
     * @param bound largest error that rounding explains
     * @param fault message of the exception that prevented a result; otherwise empty
     */
    public record Outcome(String operation, String sizes, double error, double bound, String fault) {
        /** Whether the error is at most the bound; NaN is not. */
        public boolean agrees() {
            return fault.isEmpty() && error <= bound;
        }
    }

    private SelfTest() {}

    /**
     * Runs the selected cases in order and reports each outcome as soon as it is known.
     *
     * @param precision of the device's products
     */
    public static List<Outcome> run(
            Backend device, Precision precision, Backend cpu, Selection selection, Consumer<Outcome> show) {
        List<Outcome> outcomes = new ArrayList<>();
        for (Case one : cases(precision, selection)) {
            Outcome outcome = compare(one, device, cpu);
            outcomes.add(outcome);
            show.accept(outcome);
        }
        return outcomes;
    }

    /** Number of outcomes of a run. */
    public static int count(Precision precision, Selection selection) {
        return cases(precision, selection).size();
    }

    /** Names of all operations. */
    static List<String> operations() {
        return cases(Precision.F32).stream().map(Case::operation).distinct().toList();
    }

    /** Runs the cases of attention for one shape and number of tokens. */
    public static List<Outcome> attention(Backend device, Backend cpu, AttentionShape shape, int tokens) {
        return AttentionCases.of(shape.oneGroup(), tokens, device.operands()).stream()
                .map(one -> compare(one, device, cpu))
                .toList();
    }

    private static List<Case> cases(Precision precision, Selection selection) {
        return cases(precision).stream().filter(selection::takes).toList();
    }

    private static List<Case> cases(Precision precision) {
        double product = switch (precision) {
            case F32 -> 0;
            case TF32 -> 0x1p-9; // tensor cores read 10 bits of the mantissa of either operand
            case BF16 -> 0x1p-7; // the gradient may be rounded before the product
            case F16 -> 0x1p-10;
        };
        List<Case> cases = new ArrayList<>(RowCases.all(product));
        cases.addAll(AttentionCases.all(precision.operands, HEAD_DIMS, LENGTHS));
        return cases;
    }

    private static Outcome compare(Case one, Backend device, Backend cpu) {
        List<float[]> expected = results(one, cpu, device.operands());
        List<float[]> actual;
        try {
            actual = results(one, device, device.operands());
        } catch (RuntimeException failure) {
            return new Outcome(one.operation(), one.sizes(), Double.NaN, one.bound(), String.valueOf(failure.getMessage()));
        }
        double worst = 0;
        for (int i = 0; i < expected.size(); i++) {
            worst = Math.max(worst, error(expected.get(i), actual.get(i)));
        }
        return new Outcome(one.operation(), one.sizes(), worst, one.bound(), "");
    }

    private static List<float[]> results(Case one, Backend backend, DType type) {
        try (Operands operands = new Operands(backend, type, one.seed())) {
            return one.work().on(operands);
        }
    }

    /**
     * Largest difference relative to the largest expected value. Equal infinities agree, as do NaN; NaN if lengths
     * differ or only one of two values is finite.
     */
    static double error(float[] expected, float[] actual) {
        double largest = Float.MIN_NORMAL;
        for (float value : expected) {
            largest = Float.isFinite(value) ? Math.max(largest, Math.abs(value)) : largest;
        }
        double worst = expected.length == actual.length ? 0 : Double.NaN;
        for (int i = 0; i < Math.min(expected.length, actual.length); i++) {
            if (Float.compare(expected[i], actual[i]) != 0) {
                worst = Math.max(worst, Math.abs((double) expected[i] - actual[i]) / largest);
            }
        }
        return worst;
    }
}
