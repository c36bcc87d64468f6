package headscope.render.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.figure.Figure;
import headscope.render.Box;
import headscope.render.Font;
import headscope.render.Image;
import headscope.render.Label;
import headscope.render.OffscreenRenderer;
import headscope.render.SampleFigures;
import headscope.render.SampleMaps;
import headscope.render.layout.FigureSize;
import headscope.render.layout.Layout;
import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

final class SvgFileTest {
    private static final Map<String, String> TEXTS =
            Map.of("Software", "headscope 0.1.0", "Command", "headscope gates --task 'a<b>&\"c'=x", "Run", "0123456789ab");
    private static final Pattern BOX = Pattern.compile("M(\\d+) (\\d+)h(\\d+)v(\\d+)h-\\d+z");

    static Stream<String> samples() {
        return SampleFigures.NAMES.stream();
    }

    /** The same layout as the PNG: every label with its place, its size and its length. */
    @ParameterizedTest
    @MethodSource("samples")
    void everyLabelIsAText(String sample) throws Exception {
        Figure figure = SampleFigures.of(sample).withTitle("A title");
        FigureSize size = FigureSize.of(144);
        Layout layout = Layout.of(figure, size, new Font());
        Document svg = parse(SvgFile.encode(figure, size, TEXTS));
        assertEquals("0 0 %d %d".formatted(layout.width(), layout.height()), svg.getDocumentElement().getAttribute("viewBox"));
        assertEquals((double) layout.width() / 144,
                Double.parseDouble(svg.getDocumentElement().getAttribute("width").replace("in", "")), 1e-4);
        List<Element> texts = elements(svg, "text");
        assertEquals(layout.labels().size(), texts.size());
        for (int i = 0; i < texts.size(); i++) {
            Label label = layout.labels().get(i);
            Element text = texts.get(i);
            assertEquals(label.text(), text.getTextContent());
            assertEquals(label.size(), Double.parseDouble(text.getAttribute("font-size")), 0.01);
            assertEquals(new Font().width(label.text(), label.size()), Double.parseDouble(text.getAttribute("textLength")), 0.01);
            if (label.upward()) {
                assertTrue(text.getAttribute("transform").endsWith("rotate(-90)"));
            } else {
                double width = new Font().width(label.text(), label.size());
                double start = Double.parseDouble(text.getAttribute("x")) - switch (text.getAttribute("text-anchor")) {
                    case "middle" -> width / 2;
                    case "end" -> width;
                    default -> 0;
                };
                assertEquals(label.x(), start, 0.01);
            }
        }
    }

    /** Panels and bars have the pixels that OpenGL draws there. */
    @Test
    void cellsHaveTheColoursOfThePixels() throws Exception {
        Figure figure = SampleMaps.figure(12, 12);
        Image image;
        try (OffscreenRenderer renderer = OffscreenRenderer.open()) {
            image = renderer.image(figure, 96);
        }
        int[] painted = new int[image.argb().length];
        for (Element path : elements(parse(SvgFile.encode(figure, FigureSize.of(96), TEXTS)), "path")) {
            int rgb = Integer.parseInt(path.getAttribute("fill").substring(1), 16);
            Matcher box = BOX.matcher(path.getAttribute("d"));
            while (box.find()) {
                for (int y = 0; y < Integer.parseInt(box.group(4)); y++) {
                    int at = (Integer.parseInt(box.group(2)) + y) * image.width() + Integer.parseInt(box.group(1));
                    Arrays.fill(painted, at, at + Integer.parseInt(box.group(3)), 0xFF000000 | rgb);
                }
            }
        }
        Layout layout = Layout.of(figure, FigureSize.of(96), new Font());
        for (Box box : Stream.concat(layout.panels().stream(), layout.bars().stream()).toList()) {
            for (int y = box.y(); y < box.bottom(); y++) {
                int at = y * image.width();
                assertArrayEquals(Arrays.copyOfRange(image.argb(), at + box.x(), at + box.right()),
                        Arrays.copyOfRange(painted, at + box.x(), at + box.right()), "row " + y);
            }
        }
    }

    /** A map with more cells than the page has pixels is pooled, and embedded as an image. */
    @Test
    void largeMapsAreImages() throws Exception {
        Figure figure = SampleMaps.figure(80, 600);
        List<Element> images = elements(parse(SvgFile.encode(figure, FigureSize.of(96), TEXTS)), "image");
        assertEquals(2, images.size());
        assertTrue(images.getFirst().getAttributeNS(SvgFile.LINKS, "href").startsWith("data:image/png;base64,iVBOR"));
        assertTrue(images.getFirst().getAttribute("style").contains("pixelated"));
    }

    @Test
    void keepsTextsAndEscapesWhatXmlLacks() throws Exception {
        String hostile = "<script>&amp; \"quotes\" 'x' ]]> \u65e5\u672c \u062d\u0635\u0627\u0646 \ud83d\ude00 \uFFFE";
        Figure figure = SampleMaps.figure(2, 2).withTitle(hostile);
        Document svg = parse(SvgFile.encode(figure, FigureSize.of(96), TEXTS));
        NodeList metadata = svg.getElementsByTagNameNS("*", "metadata").item(0).getChildNodes();
        Map<String, String> read = new HashMap<>();
        for (int i = 0; i < metadata.getLength(); i++) {
            if (metadata.item(i) instanceof Element text) {
                read.put(text.getAttribute("keyword"), text.getTextContent());
            }
        }
        assertEquals(TEXTS, read);
        assertEquals(hostile.replace('\uFFFE', '\uFFFD'), elements(svg, "title").getFirst().getTextContent());
        assertEquals(0, elements(svg, "script").size());
    }

    @Test
    void theSameInputGivesTheSameBytes() {
        FigureSize size = new FigureSize(192, OptionalDouble.of(10), OptionalDouble.empty(), 8);
        for (String sample : SampleFigures.NAMES) {
            Figure figure = SampleFigures.of(sample);
            assertArrayEquals(SvgFile.encode(figure, size, TEXTS), SvgFile.encode(figure, size, new HashMap<>(TEXTS)));
        }
    }

    /** Elements of SVG's namespace. */
    private static List<Element> elements(Document svg, String name) {
        NodeList nodes = svg.getElementsByTagNameNS(SvgFile.NAMESPACE, name);
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            elements.add((Element) nodes.item(i));
        }
        return elements;
    }

    private static Document parse(byte[] svg) throws Exception {
        DocumentBuilderFactory factory = DocumentBuilderFactory.newDefaultInstance();
        factory.setNamespaceAware(true);
        return factory.newDocumentBuilder().parse(new ByteArrayInputStream(svg));
    }
}
