package headscope.selftest;

import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One operation on operands of one size.
 *
 * @param operation as {@link headscope.backend.Backend} or {@link headscope.backend.Gradients} calls it
 * @param sizes     for the reader
 * @param tokens    rows of its operands
 * @param bound     largest error, relative to the largest number of a result
 * @param work      gives the results, all of one kind in one array
 */
record Case(String operation, String sizes, int tokens, double bound, Work work) {
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

    static Case of(String operation, double bound, Written written, int rows, Object... more) {
        String sizes = Stream.concat(Stream.of(rows), Arrays.stream(more)).map(Object::toString)
                .collect(Collectors.joining(" x "));
        return new Case(operation, sizes, rows, bound, downloaded(written));
    }

    static Work downloaded(Written written) {
        return operands -> Stream.of(written.on(operands)).map(operands.backend::download).toList();
    }

    long seed() {
        return (operation + sizes).hashCode();
    }
}
