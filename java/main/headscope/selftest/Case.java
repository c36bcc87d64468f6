package headscope.selftest;

import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * One operation on operands of one size.
 *
 * @param operation as {@link headscope.backend.Backend} or {@link headscope.backend.Gradients} calls it
 * @param sizes     for the reader
 * @param bound     largest error, relative to the largest number of a result
 * @param work      gives the results, all of one kind in one array
 */
record Case(String operation, String sizes, double bound, Work work) {
    interface Work {
        List<float[]> on(Operands operands);
    }

    /** What the work wrote into tensors. */
    interface Written {
        Tensor[] on(Operands operands);
    }

    /** fp32's rounding times the operations that an element went through, and a formula's exp, root and divisions. */
    static double rounding(int terms) {
        return (terms + 64) * 0x1p-24;
    }

    static Case of(String operation, double bound, Written written, Object... sizes) {
        return new Case(operation, String.join(" x ", Arrays.stream(sizes).map(Case::plain).toList()), bound,
                operands -> Stream.of(written.on(operands)).map(operands.backend::download).toList());
    }

    private static String plain(Object size) {
        return size.toString().toLowerCase(Locale.ROOT);
    }

    long seed() {
        return (operation + sizes).hashCode();
    }
}
