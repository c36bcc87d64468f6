package headscope.selftest;

import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A comparison of one operation on operands of one size.
 *
 * @param operation name in {@link headscope.backend.Backend} or {@link headscope.backend.Gradients}
 * @param sizes     of the operands, for messages
 * @param tokens    number of rows of the operands
 * @param bound     maximum error, relative to the largest value of a result
 * @param work      computes the results
 */
record Case(String operation, String sizes, int tokens, double bound, Work work) {
    interface Work {
        List<float[]> on(Operands operands);
    }

    /** Returns the tensors that an operation has written. */
    interface Written {
        Tensor[] on(Operands operands);
    }

    /** Rounding error of an fp32 sum of this many terms, plus 64 for the functions and divisions of a formula. */
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
