package headscope.backend;

import static headscope.backend.Agreement.agree;
import static headscope.backend.Agreement.same;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.function.Function;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Runs one operation on {@link Reference} and on every backend, and compares the results. */
final class Parity {
    /** One below, at and one above the widths of registers, warps and blocks; primes among them. */
    private static final int[] SIZES = {1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 129, 257, 511, 513, 1000};

    private Parity() {}

    /** Returns what the operation wrote, on the host. */
    interface Operation extends Function<TensorScope, float[]> {}

    /** Every size with normal inputs and with two other kinds of input. */
    static Stream<Arguments> sizes() {
        Inputs[] kinds = Inputs.values();
        return Arrays.stream(SIZES).boxed().flatMap(size -> Stream.of(
                Arguments.of(size, Inputs.NORMAL),
                Arguments.of(size, kinds[(size + 1) % kinds.length]),
                Arguments.of(size, kinds[(size + 4) % kinds.length])));
    }

    /** @param tolerance of element i */
    static void compare(String what, Operation operation, IntToDoubleFunction tolerance) {
        float[] expected = expected(operation);
        for (String device : Devices.ALL) {
            agree(device + " " + what, expected, actual(device, operation), tolerance);
        }
    }

    static void compareBits(String what, Operation operation) {
        float[] expected = expected(operation);
        for (String device : Devices.ALL) {
            same(device + " " + what, expected, actual(device, operation));
        }
    }

    static float[] expected(Operation operation) {
        try (TensorScope on = new TensorScope(new Reference())) {
            return operation.apply(on);
        }
    }

    static float[] actual(String device, Operation operation) {
        try (Backend backend = Devices.open(device)) {
            float[] result;
            try (TensorScope on = new TensorScope(backend)) {
                result = operation.apply(on);
            }
            assertEquals(0, backend.liveBytes());
            return result;
        }
    }
}
