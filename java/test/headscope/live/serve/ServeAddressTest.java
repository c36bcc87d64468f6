package headscope.live.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Addresses and tokens as users write them. */
final class ServeAddressTest {
    @Test
    void theHostIsLoopbackUnlessNamed() {
        assertEquals(new ServeAddress("127.0.0.1", 8080), ServeAddress.parse("8080"));
        assertEquals(new ServeAddress("0.0.0.0", 8080), ServeAddress.parse("0.0.0.0:8080"));
        assertEquals(new ServeAddress("gpu-7", 0), ServeAddress.parse("gpu-7:0"));
        assertEquals(new ServeAddress("::1", 80), ServeAddress.parse("[::1]:80"));
    }

    @Test
    void otherTextsAreRejected() {
        for (String text : List.of("", "65536", "99999", "-1", "80x", "host", "host:", ":80", "a b:80", "::1:80", "http://a:80")) {
            assertTrue(assertThrows(IllegalArgumentException.class, () -> ServeAddress.parse(text)).getMessage().contains(text));
        }
    }

    @Test
    void tokensAreRandomAndLong() {
        AccessToken token = AccessToken.random();
        assertEquals(32, token.text().length());
        assertNotEquals(token.text(), AccessToken.random().text());
        assertTrue(token.matches(token.text()));
        assertFalse(token.matches(token.text().substring(1)));
        assertFalse(token.matches(""));
    }

    @Test
    void shortTokensAreRejected() {
        assertEquals("0123456789abcdef", AccessToken.of("0123456789abcdef").text());
        for (String text : List.of("", "0123456789abcde", "0123456789abcdef#", "0123456789 abcdef")) {
            assertThrows(IllegalArgumentException.class, () -> AccessToken.of(text));
        }
    }
}
