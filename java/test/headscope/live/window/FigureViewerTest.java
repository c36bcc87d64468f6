package headscope.live.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.figure.Figure;
import headscope.picture.RunFigures;
import headscope.render.Box;
import headscope.render.Drawing;
import headscope.render.Image;
import headscope.render.OffscreenRenderer;
import headscope.result.SampleRuns;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command {@code view} with the figures of a run in a window on a virtual display. */
final class FigureViewerTest {
    private static final int WIDTH = 1280;
    private static final int HEIGHT = 800;

    @TempDir
    Path folder;

    /** The figure as large as the window allows. */
    private static Image image(Figure figure) {
        try (OffscreenRenderer renderer = OffscreenRenderer.open();
                Drawing usual = renderer.drawing(figure, FigureViewer.SCREEN_DPI)) {
            return renderer.image(figure, FigureViewer.dpi(usual, WIDTH, HEIGHT));
        }
    }

    private static void await(WindowSession user, Image figure) throws IOException, InterruptedException {
        Box middle = new Box((WIDTH - figure.width()) / 2, HEIGHT - (HEIGHT - figure.height()) / 2 - figure.height(),
                figure.width(), figure.height());
        user.await("figure", () -> SameImage.in(figure, 0, 0, user.display.image(), middle));
    }

    @Test
    void arrowKeysChangeBetweenTheFiguresOfARun() throws Exception {
        Path run = folder.resolve("run");
        SampleRuns.commit(run, SampleRuns.gates()::write);
        List<Image> figures = RunFigures.of(run).values().stream().map(FigureViewerTest::image).toList();
        assertTrue(figures.size() > 1);
        try (WindowSession user = WindowSession.start(folder, 1, "view", run.toString())) {
            await(user, figures.get(0));
            assertEquals(1, user.display.xdotool("search", "--name", "Headscope: gates").lines().count());
            user.key("Right");
            await(user, figures.get(1));
            user.key("Left");
            await(user, figures.get(0));
            user.key("q");
            user.assertEnds(0);
        }
    }
}
