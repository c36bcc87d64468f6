package headscope.render;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.NodeList;

final class PngFileTest {
    private static final Image IMAGE =
            new Image(3, 2, new int[] {0xFF000000, 0xFFFFFFFF, 0xFF123456, 0xFFFF0000, 0xFF00FF00, 0xFF0000FF});
    private static final Map<String, String> TEXTS =
            Map.of("Software", "Headscope 0.1.0", "Command", "headscope spectra --k 10", "Run", "λ ≤ 1\nsecond line");

    @TempDir
    Path folder;

    @Test
    void keepsPixelsTextsAndResolution() throws IOException {
        Path file = folder.resolve("figure.png");
        PngFile.write(file, IMAGE, 192, TEXTS);
        ImageReader reader = ImageIO.getImageReadersByFormatName("png").next();
        try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
            reader.setInput(in);
            assertArrayEquals(IMAGE.argb(), reader.read(0).getRGB(0, 0, 3, 2, null, 0, 3));
            IIOMetadataNode root = (IIOMetadataNode) reader.getImageMetadata(0).getAsTree("javax_imageio_png_1.0");
            assertEquals(TEXTS, texts(root));
            IIOMetadataNode density = (IIOMetadataNode) root.getElementsByTagName("pHYs").item(0);
            assertEquals("7559", density.getAttribute("pixelsPerUnitXAxis"));
            assertEquals("meter", density.getAttribute("unitSpecifier"));
        } finally {
            reader.dispose();
        }
    }

    @Test
    void theSameInputGivesTheSameBytes() {
        assertArrayEquals(PngFile.encode(IMAGE, 96, TEXTS), PngFile.encode(IMAGE, 96, new HashMap<>(TEXTS)));
    }

    @Test
    void replacesAFileAndLeavesNoOther() throws IOException {
        Path file = folder.resolve("figure.png");
        Files.writeString(file, "old");
        PngFile.write(file, IMAGE, 96, Map.of());
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
        assertEquals(3, ImageIO.read(file.toFile()).getWidth());
    }

    @Test
    void namesAMissingFolder() {
        Path file = folder.resolve("absent/figure.png");
        var problem = assertThrows(UncheckedIOException.class, () -> PngFile.write(file, IMAGE, 96, Map.of()));
        assertEquals(file + ": cannot be written: there is no such folder", problem.getMessage());
    }

    private static Map<String, String> texts(IIOMetadataNode root) {
        Map<String, String> texts = new HashMap<>();
        NodeList entries = root.getElementsByTagName("iTXtEntry");
        for (int i = 0; i < entries.getLength(); i++) {
            IIOMetadataNode entry = (IIOMetadataNode) entries.item(i);
            texts.put(entry.getAttribute("keyword"), entry.getAttribute("text"));
        }
        return texts;
    }
}
