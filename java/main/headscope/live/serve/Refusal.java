package headscope.live.serve;

import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Answers of one line. */
final class Refusal {
    private Refusal() {}

    /** @return true: the request has been answered */
    static boolean write(Response response, int status, String reason, Callback callback) {
        response.setStatus(status);
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, "text/plain; charset=utf-8");
        Content.Sink.write(response, true, reason + "\n", callback);
        return true;
    }
}
