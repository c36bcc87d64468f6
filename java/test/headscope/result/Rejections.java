package headscope.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.function.Executable;

/** Checks of exceptions. */
final class Rejections {
    private Rejections() {}

    /** The message is a single line. */
    static void assertRejected(Class<? extends RuntimeException> type, String message, Executable action) {
        String actual = assertThrows(type, action).getMessage();
        assertEquals(message, actual);
        assertEquals(1, actual.lines().count());
    }
}
