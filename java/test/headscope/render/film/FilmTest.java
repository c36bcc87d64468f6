package headscope.render.film;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Seed;
import headscope.render.Image;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FilmTest {
    private static final int WIDTH = 23;
    private static final int HEIGHT = 17;

    @TempDir
    Path folder;

    private final Random random = Seed.random("film");

    private Image image() {
        return new Image(WIDTH, HEIGHT, random.ints(WIDTH * HEIGHT).map(rgb -> rgb | 0xff000000).toArray());
    }

    private record Chunk(String type, byte[] data) {}

    private static List<Chunk> chunks(byte[] file) throws IOException {
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(file, 8, file.length - 8));
        List<Chunk> chunks = new ArrayList<>();
        while (in.available() > 0) {
            int length = in.readInt();
            byte[] typed = in.readNBytes(4 + length);
            CRC32 sum = new CRC32();
            sum.update(typed);
            assertEquals((int) sum.getValue(), in.readInt());
            chunks.add(new Chunk(new String(typed, 0, 4, StandardCharsets.US_ASCII), Arrays.copyOfRange(typed, 4, 4 + length)));
        }
        return chunks;
    }

    private static byte[] chunk(String type, byte[] data) {
        byte[] typed = ByteBuffer.allocate(4 + data.length).put(type.getBytes(StandardCharsets.US_ASCII)).put(data).array();
        CRC32 sum = new CRC32();
        sum.update(typed);
        return ByteBuffer.allocate(12 + data.length).putInt(data.length).put(typed).putInt((int) sum.getValue()).array();
    }

    private static void assertShows(Image image, byte[] png) throws IOException {
        int[] rgb = ImageIO.read(new ByteArrayInputStream(png)).getRGB(0, 0, WIDTH, HEIGHT, null, 0, WIDTH);
        assertArrayEquals(image.argb(), rgb);
    }

    /** Each frame's data, put into a PNG of its own, is the image; frames are numbered without a gap. */
    @Test
    void anAnimatedPngHoldsEveryImage() throws IOException {
        List<Image> images = Stream.generate(this::image).limit(5).toList();
        Path file = folder.resolve("film.png");
        try (Film film = Film.begin(file, 12)) {
            images.forEach(film::add);
            film.finish();
        }
        byte[] bytes = Files.readAllBytes(file);
        assertShows(images.getFirst(), bytes); // as a program sees it that does not know animations
        List<Chunk> chunks = chunks(bytes);
        assertEquals(List.of("IHDR", "acTL", "fcTL", "IDAT"), chunks.subList(0, 4).stream().map(Chunk::type).toList());
        assertEquals("IEND", chunks.getLast().type());
        assertEquals(images.size(), ByteBuffer.wrap(chunks.get(1).data()).getInt());
        int sequence = 0;
        int frame = -1;
        List<ByteArrayOutputStream> data = new ArrayList<>();
        for (Chunk chunk : chunks) {
            ByteBuffer content = ByteBuffer.wrap(chunk.data());
            switch (chunk.type()) {
                case "fcTL" -> {
                    assertEquals(sequence++, content.getInt());
                    assertEquals(List.of(WIDTH, HEIGHT, 0, 0),
                            List.of(content.getInt(), content.getInt(), content.getInt(), content.getInt()));
                    assertEquals(1, content.getShort());
                    assertEquals(12, content.getShort());
                    data.add(new ByteArrayOutputStream());
                    frame++;
                }
                case "IDAT" -> data.get(frame).write(chunk.data());
                case "fdAT" -> {
                    assertEquals(sequence++, content.getInt());
                    data.get(frame).write(chunk.data(), 4, chunk.data().length - 4);
                }
                default -> { }
            }
        }
        for (int i = 0; i < images.size(); i++) {
            ByteArrayOutputStream png = new ByteArrayOutputStream();
            png.write(bytes, 0, 8);
            png.write(chunk("IHDR", chunks.getFirst().data()));
            png.write(chunk("IDAT", data.get(i).toByteArray()));
            png.write(chunk("IEND", new byte[0]));
            assertShows(images.get(i), png.toByteArray());
        }
    }

    /** A film that is not finished, or has no image, leaves nothing; other endings are refused. */
    @Test
    void aFilmIsWholeOrAbsent() throws IOException {
        try (Film film = Film.begin(folder.resolve("a.png"), 10)) {
            film.add(image());
        }
        try (Film film = Film.begin(folder.resolve("b.PNG"), 10)) {
            film.finish();
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(), left.toList());
        }
        assertThrows(UncheckedIOException.class, () -> Film.begin(folder.resolve("absent/a.png"), 10));
        assertEquals("a.gif: a film ends in .png (animated PNG) or .mp4",
                assertThrows(IllegalArgumentException.class, () -> Film.begin(Path.of("a.gif"), 10)).getMessage());
    }

    /** With ffmpeg, a film that a player can read; without, one line that says what to install. */
    @Test
    void mp4NeedsFfmpeg() throws IOException {
        Path file = folder.resolve("film.mp4");
        boolean installed = Stream.of(System.getenv("PATH").split(":")).anyMatch(path -> Files.isExecutable(Path.of(path, "ffmpeg")));
        if (!installed) {
            assertEquals(file + ": needs ffmpeg: apt-get install ffmpeg, or name a .png file for an animated PNG",
                    assertThrows(FilmException.class, () -> Film.begin(file, 10)).getMessage());
            return;
        }
        try (Film film = Film.begin(file, 10)) {
            film.add(image());
            film.add(image());
            film.finish();
        }
        byte[] bytes = Files.readAllBytes(file);
        assertEquals("ftyp", new String(bytes, 4, 4, StandardCharsets.US_ASCII));
        try (Stream<Path> left = Files.list(folder)) {
            assertTrue(left.allMatch(file::equals));
        }
    }
}
