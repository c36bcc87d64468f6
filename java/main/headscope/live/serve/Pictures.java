package headscope.live.serve;

import headscope.figure.Figure;
import headscope.live.ThreadPriority;
import headscope.render.OffscreenRenderer;
import headscope.render.PngFile;
import headscope.render.RenderUnavailableException;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/** Draws pictures at print quality, one after the other, in a thread of low priority. */
final class Pictures implements AutoCloseable {
    private final ExecutorService drawer = Executors.newSingleThreadExecutor(work -> Thread.ofPlatform().daemon()
            .name("pictures").unstarted(() -> {
                ThreadPriority.giveWay();
                work.run();
            }));

    /**
     * Queues a picture.
     *
     * @param drawn   receives the PNG file
     * @param refused receives one line if it cannot be drawn
     */
    void draw(Figure figure, Consumer<byte[]> drawn, Consumer<String> refused) {
        drawer.execute(() -> {
            try (OffscreenRenderer renderer = OffscreenRenderer.open()) {
                int dpi = OffscreenRenderer.DEFAULT_DPI;
                drawn.accept(PngFile.encode(renderer.image(figure, dpi), dpi, Map.of()));
            } catch (RenderUnavailableException | IllegalArgumentException problem) {
                refused.accept("no picture: " + problem.getMessage());
            } catch (RuntimeException | OutOfMemoryError problem) {
                refused.accept("no picture: " + problem);
            }
        });
    }

    /** Draws no further pictures. */
    @Override
    public void close() {
        drawer.shutdown(); // an interrupt while a message is written would break its connection
    }
}
