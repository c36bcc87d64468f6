package headscope.render.film;

import headscope.render.Image;
import headscope.render.PngFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * An animated PNG that repeats forever (PNG, third edition, section 11.3.6). The first image is also that of a program
 * that does not know animations. Chunks are those of single PNGs with a frame's number in front of the data.
 */
final class AnimatedPng implements Film {
    private static final int SIGNATURE = 8;

    /** Bytes of IHDR: length, type, 13 bytes, checksum. */
    private static final int HEADER = 25;

    /** Bytes of a chunk besides its data: length, type, checksum. */
    private static final int CHUNK = 12;

    private final PartialFile partial;
    private final FileChannel channel;
    private final int perSecond;
    private int images;
    private int sequence;
    private int width;
    private int height;

    AnimatedPng(Path file, int perSecond) {
        this.partial = PartialFile.of(file, "");
        this.perSecond = perSecond;
        try {
            this.channel = FileChannel.open(partial.path(), StandardOpenOption.WRITE, StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING);
        } catch (IOException problem) {
            throw partial.failed(problem);
        }
    }

    @Override
    public void add(Image image) {
        ByteBuffer png = ByteBuffer.wrap(PngFile.encode(image, 96, Map.of()));
        try {
            if (images == 0) {
                width = image.width();
                height = image.height();
                write(png.slice(0, SIGNATURE + HEADER));
                write(animation(0)); // finish() writes it again
            } else if (image.width() != width || image.height() != height) {
                throw new IllegalArgumentException("%d x %d after %d x %d".formatted(image.width(), image.height(), width, height));
            }
            write(chunk("fcTL", ByteBuffer.allocate(26)
                    .putInt(sequence++).putInt(width).putInt(height).putInt(0).putInt(0)
                    .putShort((short) 1).putShort((short) perSecond).put((byte) 0).put((byte) 0).flip()));
            for (int at = SIGNATURE; at < png.limit(); at += CHUNK + png.getInt(at)) {
                if (png.getInt(at + Integer.BYTES) == 0x49444154) { // IDAT
                    data(png.slice(at + 2 * Integer.BYTES, png.getInt(at)));
                }
            }
            images++;
        } catch (IOException problem) {
            throw partial.failed(problem);
        }
    }

    private void data(ByteBuffer compressed) throws IOException {
        if (images == 0) {
            write(chunk("IDAT", compressed));
        } else {
            write(chunk("fdAT", ByteBuffer.allocate(Integer.BYTES + compressed.remaining())
                    .putInt(sequence++).put(compressed).flip()));
        }
    }

    private static ByteBuffer animation(int images) {
        return chunk("acTL", ByteBuffer.allocate(2 * Integer.BYTES).putInt(images).putInt(0).flip());
    }

    private static ByteBuffer chunk(String type, ByteBuffer data) {
        ByteBuffer chunk = ByteBuffer.allocate(CHUNK + data.remaining()).putInt(data.remaining());
        chunk.put(type.getBytes(StandardCharsets.US_ASCII)).put(data);
        CRC32 sum = new CRC32();
        sum.update(chunk.slice(Integer.BYTES, chunk.position() - Integer.BYTES));
        return chunk.putInt((int) sum.getValue()).flip();
    }

    private void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    @Override
    public void finish() {
        if (images == 0) {
            return;
        }
        try {
            write(chunk("IEND", ByteBuffer.allocate(0)));
            channel.position(SIGNATURE + HEADER);
            write(animation(images));
            channel.close();
        } catch (IOException problem) {
            throw partial.failed(problem);
        }
        partial.publish();
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException problem) {
            throw partial.failed(problem);
        } finally {
            partial.delete();
        }
    }
}
