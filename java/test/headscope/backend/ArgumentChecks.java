package headscope.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.tensor.DType;
import headscope.tensor.Tensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.function.Executable;

/** A checked backend and tensors of any shape for tests of rejected arguments. */
abstract class ArgumentChecks {
    final Backend backend = Backend.open("cpu");
    private final TensorScope tensors = new TensorScope(backend);

    @AfterEach
    void close() {
        tensors.close();
        assertEquals(0, backend.liveBytes());
        backend.close();
    }

    final Tensor floats(long... shape) {
        return of(DType.F32, shape);
    }

    final Tensor of(DType dtype, long... shape) {
        return tensors.allocate(dtype, shape);
    }

    final Tensor closed(long... shape) {
        Tensor tensor = floats(shape);
        tensor.buffer().close();
        return tensor;
    }

    /** The action throws an IllegalArgumentException with a one-line message. */
    static void refused(String start, Executable action) {
        String message = assertThrows(IllegalArgumentException.class, action).getMessage();
        assertTrue(message.startsWith(start), message);
        assertEquals(1, message.lines().count(), message);
    }
}
