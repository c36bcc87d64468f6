package headscope.render;

import static org.lwjgl.stb.STBTruetype.*;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.lwjgl.BufferUtils;
import org.lwjgl.stb.STBTTFontinfo;

/** One font file. */
final class FontFace {
    /** Fonts for Chinese, Japanese and Korean, for symbols and for all scripts, on Debian, Ubuntu, Fedora and Arch. */
    private static final List<Path> SYSTEM = List.of(
            Path.of("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
            Path.of("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc"),
            Path.of("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc"),
            Path.of("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"),
            Path.of("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"),
            Path.of("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
            Path.of("/usr/share/fonts/truetype/ancient-scripts/Symbola_hint.ttf"),
            Path.of("/usr/share/fonts/opentype/unifont/unifont.otf"));

    /** Folders of Noto Sans, one file per script. */
    private static final List<Path> NOTO = List.of(
            Path.of("/usr/share/fonts/truetype/noto"), Path.of("/usr/share/fonts/google-noto"),
            Path.of("/usr/share/fonts/noto"));

    private final ByteBuffer bytes; // STBTTFontinfo points into it
    private final double relativeSize;
    private final STBTTFontinfo info = STBTTFontinfo.create();

    private FontFace(String name, ByteBuffer bytes, double relativeSize) {
        this.bytes = bytes;
        this.relativeSize = relativeSize;
        if (!stbtt_InitFont(info, bytes, Math.max(0, stbtt_GetFontOffsetForIndex(bytes, 0)))) {
            throw new IllegalStateException(name + " is not a font");
        }
    }

    /**
     * A font in a library's jar.
     *
     * @param relativeSize factor from the requested size to that of the letters
     */
    static FontFace packed(String resource, double relativeSize) {
        try (InputStream in = FontFace.class.getResourceAsStream(resource)) {
            byte[] file = in.readAllBytes();
            return new FontFace(resource, BufferUtils.createByteBuffer(file.length).put(file).flip(), relativeSize);
        } catch (IOException problem) {
            throw new UncheckedIOException(resource, problem);
        }
    }

    /** The fonts of {@link #NOTO} and {@link #SYSTEM} that this machine has. */
    static List<FontFace> ofSystem(double relativeSize) {
        return Stream.concat(NOTO.stream().flatMap(FontFace::noto), SYSTEM.stream().filter(Files::isReadable))
                .flatMap(file -> mapped(file, relativeSize))
                .toList();
    }

    private static Stream<Path> noto(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.getFileName().toString().matches("NotoSans[A-Za-z]*-Regular\\.ttf"))
                    .sorted()
                    .toList()
                    .stream();
        } catch (IOException _) {
            return Stream.empty();
        }
    }

    private static Stream<FontFace> mapped(Path file, double relativeSize) {
        try (FileChannel channel = FileChannel.open(file)) {
            return Stream.of(new FontFace(
                    file.toString(), channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()), relativeSize));
        } catch (IOException | IllegalStateException _) {
            return Stream.empty();
        }
    }

    STBTTFontinfo info() {
        return info;
    }

    /** The index of a character's glyph; 0 if the font does not have it. */
    int glyph(int character) {
        return stbtt_FindGlyphIndex(info, character);
    }

    float scale(float size) {
        return stbtt_ScaleForMappingEmToPixels(info, (float) (relativeSize * size));
    }
}
