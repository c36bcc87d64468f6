package headscope.live.serve;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.live.MetricHistory.Curve;
import headscope.result.frame.FrameSource;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import org.eclipse.jetty.websocket.api.Callback;
import org.eclipse.jetty.websocket.api.Session;

/** Messages to a viewer that are never dropped, in JSON; see {@code docs/live-protocol.md}. A full lane ends the connection. */
final class ControlLane {
    /** Messages that have not left for the network, and pings that have not been answered. */
    static final int CAPACITY = 64;

    private final Session session;
    private int waiting;

    ControlLane(Session session) {
        this.session = session;
    }

    void source(FrameSource source) {
        ObjectNode message = message("source")
                .put("model", source.model())
                .put("device", source.device())
                .put("layers", source.layers())
                .put("heads", source.heads())
                .put("causal", source.causal())
                .put("side", source.side())
                .put("pooling", source.pooling())
                .put("maxNewTokens", source.maxNewTokens())
                .put("recorded", source.recorded())
                .put("cellFormat", CellFormat.of(source).name().toLowerCase(Locale.ROOT));
        ArrayNode metrics = message.putArray("metrics");
        source.metrics().forEach(metric -> metrics.addObject().put("key", metric.key()).put("unit", metric.unit()));
        send(message);
    }

    void curve(ViewerMessage.CurveRequest request, Curve curve) {
        ObjectNode message = message("curve")
                .put("metric", request.metric())
                .put("layer", request.layer())
                .put("head", request.head());
        ArrayNode tokens = message.putArray("tokens");
        ArrayNode values = message.putArray("values");
        for (int i = 0; i < curve.tokens().length; i++) {
            if (Double.isFinite(curve.values()[i])) {
                tokens.add((int) curve.tokens()[i]);
                values.add((float) curve.values()[i]);
            }
        }
        send(message);
    }

    void prompt(String prompt) {
        send(message("prompt").put("prompt", prompt));
    }

    /** Tells the viewer how many frames it has not been shown by themselves. */
    void dropped(long frames) {
        send(message("dropped").put("frames", frames));
    }

    /** @param file that frames are recorded in, on the server; empty if they are not */
    void recording(String file) {
        send(message("recording").put("file", file));
    }

    /** One line for the user. */
    void notice(String line) {
        send(message("notice").put("text", line));
    }

    /** The server cannot draw images for this viewer. */
    void unavailable(String reason) {
        send(message("unavailable").put("reason", reason));
    }

    /** The user of an image has asked to end the program. */
    void askToStop() {
        send(message("quit"));
    }

    private static ObjectNode message(String type) {
        return JsonNodeFactory.instance.objectNode().put("type", type);
    }

    private void send(ObjectNode message) {
        if (enter()) {
            session.sendText(message.toString(), Callback.from(this::leave, _ -> leave()));
        }
    }

    /** Finds out whether a viewer that has nothing to say is there. */
    void ping() {
        if (enter()) {
            session.sendPing(ByteBuffer.allocate(0), Callback.NOOP);
        }
    }

    void pong() {
        leave();
    }

    /** Ends the connection when everything before has left. @return completes then */
    CompletableFuture<Void> close(int status, String reason) {
        Callback.Completable closed = new Callback.Completable();
        session.close(status, reason, closed);
        return closed;
    }

    private synchronized boolean enter() {
        if (waiting == CAPACITY) {
            session.disconnect();
            return false;
        }
        waiting++;
        return true;
    }

    private synchronized void leave() {
        waiting = Math.max(0, waiting - 1); // a pong need not be an answer
    }
}
