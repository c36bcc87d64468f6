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
    /** Where Debian, Ubuntu, Fedora and Arch put fonts of Chinese, Japanese and Korean letters, and of all scripts. */
    private static final List<Path> SYSTEM = List.of(
            Path.of("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
            Path.of("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc"),
            Path.of("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc"),
            Path.of("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"),
            Path.of("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"),
            Path.of("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
            Path.of("/usr/share/fonts/opentype/unifont/unifont.otf"));

    private final ByteBuffer bytes; // STBTTFontinfo points into it
    private final double part;
    private final STBTTFontinfo info = STBTTFontinfo.create();

    private FontFace(String name, ByteBuffer bytes, double part) {
        this.bytes = bytes;
        this.part = part;
        if (!stbtt_InitFont(info, bytes, Math.max(0, stbtt_GetFontOffsetForIndex(bytes, 0)))) {
            throw new IllegalStateException(name + " is not a font");
        }
    }

    /**
     * Out of a library's jar.
     *
     * @param part of the size asked for that its letters are drawn in
     */
    static FontFace packed(String resource, double part) {
        try (InputStream in = FontFace.class.getResourceAsStream(resource)) {
            byte[] file = in.readAllBytes();
            return new FontFace(resource, BufferUtils.createByteBuffer(file.length).put(file).flip(), part);
        } catch (IOException problem) {
            throw new UncheckedIOException(resource, problem);
        }
    }

    /** What this machine has, of the known files, for letters that the packed fonts lack. */
    static Stream<FontFace> ofSystem(double part) {
        return SYSTEM.stream().filter(Files::isReadable).flatMap(file -> mapped(file, part));
    }

    private static Stream<FontFace> mapped(Path file, double part) {
        try (FileChannel channel = FileChannel.open(file)) {
            return Stream.of(new FontFace(
                    file.toString(), channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()), part));
        } catch (IOException | IllegalStateException _) {
            return Stream.empty();
        }
    }

    STBTTFontinfo info() {
        return info;
    }

    /** 0 if the font lacks the character. */
    int glyph(int character) {
        return stbtt_FindGlyphIndex(info, character);
    }

    float scale(float size) {
        return stbtt_ScaleForMappingEmToPixels(info, (float) (part * size));
    }
}
