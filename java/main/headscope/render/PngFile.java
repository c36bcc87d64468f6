package headscope.render;

import headscope.tensor.AtomicFile;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Writes images as PNG (RGB, 8 bits) with resolution and texts. The same input gives the same bytes. */
public final class PngFile {
    private static final double METRES_PER_INCH = 0.0254;
    private static final String FORMAT = "javax_imageio_png_1.0";

    private PngFile() {}

    /**
     * Writes a file; it is complete or absent.
     *
     * @param texts text by keyword (1 to 79 Latin-1 characters, such as Software), stored as iTXt
     */
    public static void write(Path file, Image image, int dpi, Map<String, String> texts) {
        AtomicFile.write(file, encode(image, dpi, texts));
    }

    /** The bytes of a file. */
    public static byte[] encode(Image image, int dpi, Map<String, String> texts) {
        BufferedImage pixels = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
        pixels.setRGB(0, 0, image.width(), image.height(), image.argb(), 0, image.width());
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(png)) {
            IIOMetadata metadata = writer.getDefaultImageMetadata(
                    ImageTypeSpecifier.createFromRenderedImage(pixels), writer.getDefaultWriteParam());
            metadata.mergeTree(FORMAT, tree(dpi, texts));
            writer.setOutput(out);
            writer.write(new IIOImage(pixels, null, metadata));
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        } finally {
            writer.dispose();
        }
        return png.toByteArray();
    }

    private static IIOMetadataNode tree(int dpi, Map<String, String> texts) {
        String perMetre = Long.toString(Math.round(dpi / METRES_PER_INCH));
        IIOMetadataNode density = new IIOMetadataNode("pHYs");
        density.setAttribute("pixelsPerUnitXAxis", perMetre);
        density.setAttribute("pixelsPerUnitYAxis", perMetre);
        density.setAttribute("unitSpecifier", "meter");
        IIOMetadataNode root = new IIOMetadataNode(FORMAT);
        root.appendChild(density);
        if (!texts.isEmpty()) {
            IIOMetadataNode all = new IIOMetadataNode("iTXt");
            new TreeMap<>(texts).forEach((keyword, text) -> all.appendChild(entry(keyword, text)));
            root.appendChild(all);
        }
        return root;
    }

    private static IIOMetadataNode entry(String keyword, String text) {
        IIOMetadataNode entry = new IIOMetadataNode("iTXtEntry");
        entry.setAttribute("keyword", keyword);
        entry.setAttribute("compressionFlag", "FALSE");
        entry.setAttribute("compressionMethod", "0");
        entry.setAttribute("languageTag", "");
        entry.setAttribute("translatedKeyword", "");
        entry.setAttribute("text", text);
        return entry;
    }
}
