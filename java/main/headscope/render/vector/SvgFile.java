package headscope.render.vector;

import headscope.figure.Figure;
import headscope.render.Font;
import headscope.render.layout.FigureSize;
import headscope.render.layout.Layout;
import headscope.render.layout.Shape;
import headscope.tensor.AtomicFile;
import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/**
 * Writes figures as Scalable Vector Graphics 1.1, with the layout of the PNG of the same resolution. Text stays text.
 * Needs no OpenGL. The same input gives the same bytes.
 */
public final class SvgFile {
    static final String NAMESPACE = "http://www.w3.org/2000/svg";
    static final String LINKS = "http://www.w3.org/1999/xlink";

    /** The program's own fonts first; where they are missing, every text keeps its length. */
    private static final String FONTS = "Roboto, 'DejaVu Sans', 'Noto Sans', 'Noto Sans CJK SC', Arial, sans-serif";

    private SvgFile() {}

    /**
     * Writes a file; it is complete or absent.
     *
     * @param texts stored in the file by keyword, as in a PNG
     */
    public static void write(Figure figure, Path file, FigureSize size, Map<String, String> texts) {
        AtomicFile.write(file, encode(figure, size, texts));
    }

    /** The bytes of a file. */
    public static byte[] encode(Figure figure, FigureSize size, Map<String, String> texts) {
        Font font = new Font();
        Layout layout = Layout.of(figure, size, font);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            XMLStreamWriter xml = XMLOutputFactory.newDefaultFactory().createXMLStreamWriter(bytes, StandardCharsets.UTF_8.name());
            xml.writeStartDocument(StandardCharsets.UTF_8.name(), "1.0");
            xml.writeCharacters("\n");
            xml.setDefaultNamespace(NAMESPACE);
            xml.writeStartElement(NAMESPACE, "svg");
            xml.writeDefaultNamespace(NAMESPACE);
            xml.writeNamespace("xlink", LINKS);
            xml.writeAttribute("version", "1.1");
            xml.writeAttribute("width", inches(layout.width(), size));
            xml.writeAttribute("height", inches(layout.height(), size));
            xml.writeAttribute("viewBox", "0 0 %d %d".formatted(layout.width(), layout.height()));
            xml.writeAttribute("font-family", FONTS);
            SvgElements elements = new SvgElements(xml, font);
            metadata(elements, figure, texts);
            elements.empty("rect", "width", layout.width(), "height", layout.height(), "fill", "#ffffff");
            for (Shape shape : layout.shapes()) {
                elements.add(shape);
            }
            xml.writeCharacters("\n");
            xml.writeEndElement();
            xml.writeEndDocument();
            xml.close();
        } catch (XMLStreamException impossible) {
            throw new IllegalStateException(impossible);
        }
        bytes.write('\n');
        return bytes.toByteArray();
    }

    private static String inches(int pixels, FigureSize size) {
        return new BigDecimal(pixels).divide(new BigDecimal(size.dpi()), 4, RoundingMode.HALF_UP)
                .stripTrailingZeros().toPlainString() + "in";
    }

    /** A title, and the keywords of a PNG as elements without a namespace. */
    private static void metadata(SvgElements elements, Figure figure, Map<String, String> texts) throws XMLStreamException {
        elements.text("title", figure.title().isEmpty() ? figure.caption() : figure.title());
        elements.start("metadata");
        for (Map.Entry<String, String> text : new TreeMap<>(texts).entrySet()) {
            elements.foreign("text", "keyword", text.getKey(), text.getValue());
        }
        elements.end();
    }
}
