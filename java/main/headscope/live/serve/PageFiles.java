package headscope.live.serve;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpMethod;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** The files of the page, all of which are in the jar. No other path exists. */
final class PageFiles extends Handler.Abstract.NonBlocking {
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8", "css", "text/css; charset=utf-8", "js", "text/javascript; charset=utf-8",
            "svg", "image/svg+xml", "csv", "text/csv; charset=utf-8", "vert", "text/plain; charset=utf-8",
            "frag", "text/plain; charset=utf-8", "ttf", "font/ttf");

    private static final List<String> PAGE = List.of(
            "index.html", "page.css", "icon.svg", "atlas.js", "camera.js", "colormap.js", "connection.js", "frames.js",
            "heatmap.js", "images.js", "ink.js", "keys.js", "map.js", "page.js", "plot.js", "save.js", "status.js", "text.js", "view.js", "words.js");

    private static final List<String> COLORMAPS = List.of(
            "rocket", "magma", "inferno", "viridis", "cividis", "turbo", "jet", "coolwarm");

    private final Map<String, byte[]> files = new HashMap<>();

    PageFiles() {
        PAGE.forEach(name -> add("/" + name, "/headscope/live/serve/page/" + name));
        COLORMAPS.forEach(name -> add("/colormaps/%s.csv".formatted(name), "/headscope/figure/colormaps/%s.csv".formatted(name)));
        List.of("cells.vert", "cells.frag").forEach(name -> add("/shaders/" + name, "/shaders/" + name));
        add("/fonts/roboto.ttf", "/com/formdev/flatlaf/fonts/roboto/Roboto-Regular.ttf");
        add("/fonts/dejavu.ttf", "/net/sf/jasperreports/fonts/dejavu/DejaVuSans.ttf");
    }

    private void add(String path, String resource) {
        try (InputStream in = PageFiles.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("the program lacks its file " + resource);
            }
            files.put(path, in.readAllBytes());
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        String path = Request.getPathInContext(request);
        String name = path.equals("/") ? "/index.html" : path;
        byte[] file = files.get(name);
        if (file == null) {
            return false;
        }
        if (!HttpMethod.GET.is(request.getMethod()) && !HttpMethod.HEAD.is(request.getMethod())) {
            response.getHeaders().put(HttpHeader.ALLOW, "GET, HEAD");
            Refusal.write(response, HttpStatus.METHOD_NOT_ALLOWED_405, "only GET and HEAD", callback);
            return true;
        }
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, TYPES.get(name.substring(name.lastIndexOf('.') + 1)));
        response.getHeaders().put(HttpHeader.CONTENT_LENGTH, file.length);
        response.write(true, ByteBuffer.wrap(file), callback);
        return true;
    }
}
