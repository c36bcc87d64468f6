package headscope.live.serve;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** One page that needs nothing else. Its path is the token; no other path exists. */
final class SavedPage extends Handler.Abstract.NonBlocking {
    private final byte[] html;
    private final AccessToken token;

    /** @param html names its scripts and styles in a content security policy of its own */
    SavedPage(String html, AccessToken token) {
        this.html = html.getBytes(StandardCharsets.UTF_8);
        this.token = token;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        String path = Request.getPathInContext(request);
        if (!path.startsWith("/") || !token.matches(path.substring(1))) {
            return false;
        }
        response.getHeaders().remove("Content-Security-Policy");
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, "text/html; charset=utf-8");
        response.getHeaders().put(HttpHeader.CONTENT_LENGTH, html.length);
        response.write(true, ByteBuffer.wrap(html), callback);
        return true;
    }
}
