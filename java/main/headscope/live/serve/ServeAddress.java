package headscope.live.serve;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the page is served.
 *
 * @param host name or address; the loopback address unless it is named
 * @param port 0 chooses a free one
 */
public record ServeAddress(String host, int port) {
    private static final String LOOPBACK = "127.0.0.1";
    private static final Pattern PATTERN = Pattern.compile("(?:(?<host>[^:\\[\\]/\\s]+|\\[[0-9a-fA-F:.%]+\\]):)?(?<port>[0-9]{1,5})");
    private static final int MAX_PORT = 65_535;

    /**
     * @param text {@code [HOST:]PORT}; an IPv6 address is in square brackets
     * @throws IllegalArgumentException if it is not of this form
     */
    public static ServeAddress parse(String text) {
        Matcher parts = PATTERN.matcher(text);
        if (!parts.matches() || Integer.parseInt(parts.group("port")) > MAX_PORT) {
            throw new IllegalArgumentException(
                    "--serve must be PORT or HOST:PORT with a port up to %d, such as 8080 or 0.0.0.0:8080, not \"%s\""
                            .formatted(MAX_PORT, text));
        }
        String host = parts.group("host");
        return new ServeAddress(
                host == null ? LOOPBACK : host.replaceAll("[\\[\\]]", ""), Integer.parseInt(parts.group("port")));
    }

    InetAddress resolve() throws UnknownHostException {
        return InetAddress.getByName(host);
    }
}
