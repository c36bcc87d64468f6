package headscope.render.vector;

import headscope.render.Box;
import headscope.render.Font;
import headscope.render.Image;
import headscope.render.Label;
import headscope.render.PngFile;
import headscope.render.Stroke;
import headscope.render.layout.Shape;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/** The shapes of a figure as elements of an SVG file, one per line. */
final class SvgElements {
    /** Maps with more cells are embedded as images. */
    private static final int MAX_PATHS = 4096;

    private static final int DECIMALS = 2;

    private final XMLStreamWriter xml;
    private final Font font;

    SvgElements(XMLStreamWriter xml, Font font) {
        this.xml = xml;
        this.font = font;
    }

    void add(Shape shape) throws XMLStreamException {
        switch (shape) {
            case Shape.Colors colors -> colors(colors);
            case Shape.Rules rules -> boxes(rules.boxes(), rules.rgb());
            case Shape.Dots dots -> dots(dots);
            case Shape.Strokes strokes -> strokes(strokes.strokes());
            case Shape.Text labels -> {
                for (Label label : labels.labels()) {
                    label(label);
                }
            }
        }
    }

    private void colors(Shape.Colors colors) throws XMLStreamException {
        ColoredCells cells = ColoredCells.of(colors);
        if (cells.rows() * cells.columns() <= MAX_PATHS) {
            // Viewers that blend edges let the background through between cells: a layer of larger cells is behind them.
            for (int overlap : new int[] {1, 0}) {
                for (Map.Entry<Integer, List<Box>> color : cells.boxes(colors.box(), overlap).entrySet()) {
                    boxes(color.getValue(), color.getKey());
                }
            }
            return;
        }
        byte[] png = PngFile.encode(new Image(cells.columns(), cells.rows(), cells.argb()), 96, Map.of());
        Box box = colors.box();
        newLine();
        xml.writeEmptyElement(SvgFile.NAMESPACE, "image");
        attributes("x", box.x(), "y", box.y(), "width", box.width(), "height", box.height(), "preserveAspectRatio", "none",
                "image-rendering", "optimizeSpeed", "style", "image-rendering: pixelated");
        xml.writeAttribute("xlink", SvgFile.LINKS, "href",
                "data:image/png;base64," + Base64.getEncoder().encodeToString(png));
    }

    private void boxes(List<Box> boxes, int rgb) throws XMLStreamException {
        if (boxes.isEmpty()) {
            return;
        }
        StringBuilder path = new StringBuilder();
        for (Box box : boxes) {
            path.append("M%d %dh%dv%dh%dz".formatted(box.x(), box.y(), box.width(), box.height(), -box.width()));
        }
        empty("path", "fill", color(rgb), "shape-rendering", "crispEdges", "d", path);
    }

    private void dots(Shape.Dots dots) throws XMLStreamException {
        for (int i = 0; i < dots.x().length; i++) {
            empty("circle", "cx", number(dots.x()[i]), "cy", number(dots.y()[i]), "r", number(dots.radius() - dots.ring() / 2),
                    "fill", color(Shape.DISC_INK), "stroke", color(Shape.RING_INK), "stroke-width", number(dots.ring()));
        }
    }

    /** Strokes that continue each other become one path. */
    private void strokes(List<Stroke> strokes) throws XMLStreamException {
        for (int first = 0; first < strokes.size(); ) {
            Stroke stroke = strokes.get(first);
            if (stroke.x0() == stroke.x1() && stroke.y0() == stroke.y1()) {
                empty("circle", "cx", number(stroke.x0()), "cy", number(stroke.y0()), "r", number(stroke.width() / 2),
                        "fill", color(stroke.rgb()));
                first++;
                continue;
            }
            StringBuilder path = new StringBuilder("M%s %s".formatted(number(stroke.x0()), number(stroke.y0())));
            int next = first;
            do {
                path.append("L%s %s".formatted(number(strokes.get(next).x1()), number(strokes.get(next).y1())));
                next++;
            } while (next < strokes.size() && continues(strokes.get(next - 1), strokes.get(next)));
            empty("path", "fill", "none", "stroke", color(stroke.rgb()), "stroke-width", number(stroke.width()),
                    "stroke-linecap", "round", "stroke-linejoin", "round", "d", path);
            first = next;
        }
    }

    private static boolean continues(Stroke stroke, Stroke next) {
        return stroke.x1() == next.x0() && stroke.y1() == next.y0() && stroke.rgb() == next.rgb()
                && stroke.width() == next.width() && !(next.x0() == next.x1() && next.y0() == next.y1());
    }

    private void label(Label label) throws XMLStreamException {
        newLine();
        xml.writeStartElement(SvgFile.NAMESPACE, "text");
        double width = font.width(label.text(), label.size());
        double along = switch (label.anchor()) {
            case START -> 0;
            case MIDDLE -> width / 2;
            case END -> width;
        };
        String x = number(label.x() + (label.upward() ? 0 : along));
        String y = number(label.y() - (label.upward() ? along : 0));
        if (label.upward()) {
            attributes("transform", "translate(%s %s) rotate(-90)".formatted(x, y));
        } else {
            attributes("x", x, "y", y);
        }
        if (label.anchor() != Label.Anchor.START) {
            attributes("text-anchor", label.anchor().name().toLowerCase(Locale.ROOT));
        }
        attributes("font-size", number(label.size()), "fill", color(label.rgb()));
        if (label.text().codePoints().allMatch(font::has)) {
            attributes("textLength", number(width), "lengthAdjust", "spacingAndGlyphs");
        }
        xml.writeAttribute("xml:space", "preserve");
        xml.writeCharacters(valid(label.text()));
        xml.writeEndElement();
    }

    void start(String name) throws XMLStreamException {
        newLine();
        xml.writeStartElement(SvgFile.NAMESPACE, name);
    }

    void end() throws XMLStreamException {
        newLine();
        xml.writeEndElement();
    }

    void text(String name, String text) throws XMLStreamException {
        start(name);
        xml.writeCharacters(valid(text));
        xml.writeEndElement();
    }

    /** An element without a namespace. */
    void foreign(String name, String attribute, String value, String text) throws XMLStreamException {
        newLine();
        xml.writeStartElement(name);
        xml.writeDefaultNamespace("");
        attributes(attribute, valid(value));
        xml.writeCharacters(valid(text));
        xml.writeEndElement();
    }

    /** @param attributes names and values in turn */
    void empty(String name, Object... attributes) throws XMLStreamException {
        newLine();
        xml.writeEmptyElement(SvgFile.NAMESPACE, name);
        attributes(attributes);
    }

    private void attributes(Object... attributes) throws XMLStreamException {
        for (int i = 0; i < attributes.length; i += 2) {
            xml.writeAttribute(attributes[i].toString(), attributes[i + 1].toString());
        }
    }

    private void newLine() throws XMLStreamException {
        xml.writeCharacters("\n");
    }

    /** XML 1.0 has neither most control characters, nor unpaired surrogates, nor U+FFFE and U+FFFF. */
    private static String valid(String text) {
        StringBuilder valid = new StringBuilder();
        text.codePoints()
                .map(point -> point == '\t' || point == '\n' || point >= 0x20 && !(point >= 0xD800 && point <= 0xDFFF)
                        && point != 0xFFFE && point != 0xFFFF ? point : 0xFFFD)
                .forEach(valid::appendCodePoint);
        return valid.toString();
    }

    private static String number(double value) {
        return new BigDecimal(value).setScale(DECIMALS, RoundingMode.HALF_EVEN).stripTrailingZeros().toPlainString();
    }

    private static String color(int rgb) {
        return "#%06x".formatted(rgb);
    }
}
