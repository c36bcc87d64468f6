package headscope.live.serve;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;

/** A secret that is part of the page's address: whoever has it may watch and steer the model. */
public final class AccessToken {
    private static final int BYTES = 24;
    private static final int MIN_LENGTH = 16;

    private final String text;

    private AccessToken(String text) {
        this.text = text;
    }

    /** A new one, from 192 random bits. */
    public static AccessToken random() {
        byte[] bytes = new byte[BYTES];
        new SecureRandom().nextBytes(bytes);
        return new AccessToken(Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
    }

    /** Environment variable with the user's own token. */
    public static final String VARIABLE = "HEADSCOPE_TOKEN";

    /**
     * One that the user has chosen, so that the page's address stays the same after a restart.
     *
     * @throws IllegalArgumentException if it is too short, or has characters that an address cannot contain
     */
    public static AccessToken of(String text) {
        if (!text.matches("[A-Za-z0-9_-]{%d,}".formatted(MIN_LENGTH))) {
            throw new IllegalArgumentException(
                    "%s must have at least %d characters, all of them letters, digits, - or _".formatted(VARIABLE, MIN_LENGTH));
        }
        return new AccessToken(text);
    }

    /** Takes the same time wherever the first difference is. */
    boolean matches(String given) {
        return MessageDigest.isEqual(
                text.getBytes(StandardCharsets.UTF_8), given.getBytes(StandardCharsets.UTF_8));
    }

    String text() {
        return text;
    }
}
