package headscope.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.function.Executable;

/** What a refusal says. */
final class Refusals {
    private Refusals() {}

    static void refused(Class<? extends RuntimeException> type, String message, Executable action) {
        String said = assertThrows(type, action).getMessage();
        assertEquals(message, said);
        assertEquals(1, said.lines().count());
    }
}
