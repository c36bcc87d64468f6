package headscope.live.serve;

import java.util.Map;
import java.util.Set;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;

/**
 * Stands before every request. On the loopback address the request must name it, so that no other site can have a name of
 * its own resolve to it (DNS rebinding). The socket is for pages of this server alone, and for those who have the token.
 */
final class Guard extends Handler.Wrapper {
    static final String FRAMES = "/frames";
    static final String IMAGES = "/images";

    private static final Set<String> SOCKETS = Set.of(FRAMES, IMAGES);
    private static final Set<String> LOOPBACK_NAMES = Set.of("localhost", "127.0.0.1", "[::1]");

    private static final Map<String, String> HEADERS = Map.of(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self';"
                    + " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "X-Content-Type-Options", "nosniff",
            "X-Frame-Options", "DENY",
            "Referrer-Policy", "no-referrer",
            "Cross-Origin-Resource-Policy", "same-origin",
            "Cache-Control", "no-store");

    private final boolean loopback;
    private final AccessToken token;

    /** @param loopback whether the server listens on the loopback address only */
    Guard(boolean loopback, AccessToken token, Handler next) {
        super(next);
        this.loopback = loopback;
        this.token = token;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        HEADERS.forEach(response.getHeaders()::put);
        if (loopback) { // elsewhere browsers ignore it without encryption, and complain
            response.getHeaders().put("Cross-Origin-Opener-Policy", "same-origin");
        }
        String authority = String.valueOf(request.getHeaders().get(HttpHeader.HOST));
        if (loopback && !LOOPBACK_NAMES.contains(authority.replaceFirst(":[0-9]*$", ""))) {
            return Refusal.write(response, HttpStatus.FORBIDDEN_403, "this server is known as localhost only", callback);
        }
        if (SOCKETS.contains(Request.getPathInContext(request))) {
            Fields query = Request.extractQueryParameters(request);
            if (!token.matches(String.valueOf(query.getValue("token")))) {
                return Refusal.write(response, HttpStatus.FORBIDDEN_403, "wrong token", callback);
            }
            String origin = String.valueOf(request.getHeaders().get(HttpHeader.ORIGIN));
            if (!origin.equals("http://" + authority) && !origin.equals("https://" + authority)) {
                return Refusal.write(response, HttpStatus.FORBIDDEN_403, "the page of another server", callback);
            }
        }
        return super.handle(request, response, callback)
                || Refusal.write(response, HttpStatus.NOT_FOUND_404, "no such page", callback);
    }
}
