package headscope.tensor;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Writes one safetensors file that appears whole or not at all. All tensors are declared first, then filled
 * piece by piece in any order among them, so that a tensor of many samples is never held in memory:
 * {@snippet :
 * try (SafetensorsWriter writer = SafetensorsWriter.create(path, Map.of(), List.of(
 *         new SafetensorsWriter.Layout("scores", DType.F32, samples, heads)))) {
 *     for (float[] row : rows) {
 *         writer.append("scores", row);
 *     }
 *     writer.commit();
 * }
 * }
 * Not for use by several threads. Every method throws {@link UncheckedIOException} when the disk fails.
 */
public final class SafetensorsWriter implements AutoCloseable {
    /** One tensor to come: F32, I64 or I32, row-major. */
    public record Layout(String name, DType dtype, long... shape) {
        public Layout {
            shape = shape.clone();
            if (dtype != DType.F32 && dtype != DType.I64 && dtype != DType.I32) {
                throw new IllegalArgumentException(name + ": dtype " + dtype
                        + " where only F32, I64, I32 can be written");
            }
            if (name.equals(SafetensorsHeader.METADATA)) {
                throw new IllegalArgumentException("a tensor cannot be named " + name);
            }
            if (Arrays.stream(shape).anyMatch(extent -> extent < 0)) {
                throw new IllegalArgumentException(name + ": shape " + Arrays.toString(shape));
            }
        }

        /** A copy. */
        @Override
        public long[] shape() {
            return shape.clone();
        }

        private long byteSize() {
            return Arrays.stream(shape).reduce(dtype.bytes, Math::multiplyExact);
        }
    }

    /** Where a tensor's bytes lie in the file, and how far they are written. */
    private static final class Region {
        final DType dtype;
        final long end;
        long position;

        Region(DType dtype, long begin, long end) {
            this.dtype = dtype;
            this.position = begin;
            this.end = end;
        }
    }

    private final Path path;
    private final Path temporary;
    private final FileChannel channel;
    private final Map<String, Region> regions = new LinkedHashMap<>();
    private final ByteBuffer block = ByteBuffer.allocateDirect(1 << 16).order(ByteOrder.LITTLE_ENDIAN);

    private SafetensorsWriter(Path path, Path temporary, FileChannel channel) {
        this.path = path;
        this.temporary = temporary;
        this.channel = channel;
    }

    /**
     * Starts a temporary file beside {@code path}.
     *
     * @param metadata the file's own remarks
     * @param tensors  in the order in which the header lists them
     * @throws IllegalArgumentException when two tensors share a name, the sizes overflow, or a text is not
     *                                  Unicode
     */
    public static SafetensorsWriter create(Path path, Map<String, String> metadata, List<Layout> tensors) {
        metadata.forEach((key, value) -> {
            checkText(key);
            checkText(value);
        });
        tensors.forEach(layout -> checkText(layout.name()));
        Map<String, Long> begins = begins(tensors);
        byte[] header = header(metadata, tensors, begins);
        Path temporary = path.resolveSibling(path.getFileName() + ".partial-" + UUID.randomUUID());
        try {
            SafetensorsWriter writer = new SafetensorsWriter(path, temporary,
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
            for (Layout layout : tensors) {
                long begin = header.length + begins.get(layout.name());
                writer.regions.put(layout.name(),
                        new Region(layout.dtype(), begin, begin + layout.byteSize()));
            }
            try {
                writer.write(ByteBuffer.wrap(header), 0);
            } catch (IOException failure) {
                writer.close();
                throw failure;
            }
            return writer;
        } catch (IOException failure) {
            throw failed(path, failure);
        }
    }

    /** The next elements of an F32 tensor. */
    public void append(String name, float... values) {
        Region region = region(name, DType.F32, values.length);
        for (int at = 0; at < values.length; ) {
            int n = Math.min(values.length - at, block.capacity() / Float.BYTES);
            block.clear().asFloatBuffer().put(values, at, n);
            flush(region, n * Float.BYTES);
            at += n;
        }
    }

    /** The next elements of an I64 tensor. */
    public void append(String name, long... values) {
        Region region = region(name, DType.I64, values.length);
        for (int at = 0; at < values.length; ) {
            int n = Math.min(values.length - at, block.capacity() / Long.BYTES);
            block.clear().asLongBuffer().put(values, at, n);
            flush(region, n * Long.BYTES);
            at += n;
        }
    }

    /** The next elements of an I32 tensor. */
    public void append(String name, int... values) {
        Region region = region(name, DType.I32, values.length);
        for (int at = 0; at < values.length; ) {
            int n = Math.min(values.length - at, block.capacity() / Integer.BYTES);
            block.clear().asIntBuffer().put(values, at, n);
            flush(region, n * Integer.BYTES);
            at += n;
        }
    }

    /**
     * Makes the file appear under its name, in place of an older one.
     *
     * @throws IllegalStateException when a tensor is not filled to its end; then nothing appears
     */
    public void commit() {
        publish(true);
    }

    /**
     * As {@link #commit}, without waiting for the disk: for files that can be made again. A power failure may leave
     * one that is damaged, which {@link Safetensors} notices.
     */
    public void commitUnforced() {
        publish(false);
    }

    private void publish(boolean force) {
        regions.forEach((name, region) -> {
            if (region.position != region.end) {
                throw new IllegalStateException("%s: tensor %s lacks its last %d elements"
                        .formatted(path, name, (region.end - region.position) / region.dtype.bytes));
            }
        });
        try {
            if (force) {
                channel.force(true);
            }
            channel.close();
            Files.move(temporary, path, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException failure) {
            throw failed(path, failure);
        } finally {
            close();
        }
    }

    /** Without {@link #commit}, drops what was written. */
    @Override
    public void close() {
        try {
            channel.close();
            Files.deleteIfExists(temporary);
        } catch (IOException failure) {
            throw failed(path, failure);
        }
    }

    /** Wider elements come first: then each tensor is aligned to its own elements, which PyTorch asks for. */
    private static Map<String, Long> begins(List<Layout> tensors) {
        Comparator<Layout> wideFirst = Comparator.comparingInt(layout -> -layout.dtype().bytes);
        Map<String, Long> begins = new LinkedHashMap<>();
        long begin = 0;
        try {
            for (Layout layout : tensors.stream().sorted(wideFirst).toList()) {
                if (begins.put(layout.name(), begin) != null) {
                    throw new IllegalArgumentException("two tensors are named " + layout.name());
                }
                begin = Math.addExact(begin, layout.byteSize());
            }
        } catch (ArithmeticException overflow) {
            throw new IllegalArgumentException("the tensors are over 2^63 bytes", overflow);
        }
        return begins;
    }

    /** The length and the JSON, padded with spaces so that the data begins at a multiple of 8. */
    private static byte[] header(Map<String, String> metadata, List<Layout> tensors,
            Map<String, Long> begins) {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        try (JsonGenerator generator = new JsonFactory().createGenerator(json)) {
            generator.writeStartObject();
            if (!metadata.isEmpty()) {
                generator.writeObjectFieldStart(SafetensorsHeader.METADATA);
                for (Map.Entry<String, String> entry : metadata.entrySet()) {
                    generator.writeStringField(entry.getKey(), entry.getValue());
                }
                generator.writeEndObject();
            }
            for (Layout layout : tensors) {
                long begin = begins.get(layout.name());
                generator.writeObjectFieldStart(layout.name());
                generator.writeStringField("dtype", layout.dtype().name());
                generator.writeFieldName("shape");
                generator.writeArray(layout.shape(), 0, layout.shape().length);
                generator.writeFieldName("data_offsets");
                generator.writeArray(new long[] {begin, begin + layout.byteSize()}, 0, 2);
                generator.writeEndObject();
            }
            generator.writeEndObject();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        while (json.size() % 8 != 0) {
            json.write(' ');
        }
        if (json.size() > SafetensorsHeader.MAX_BYTES) {
            throw new IllegalArgumentException("a header of %d bytes is over the limit of %d"
                    .formatted(json.size(), SafetensorsHeader.MAX_BYTES));
        }
        return ByteBuffer.allocate(SafetensorsHeader.LENGTH_BYTES + json.size())
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.size()).put(json.toByteArray()).array();
    }

    private static void checkText(String text) {
        if (!StrictJson.wellFormed(text)) {
            throw new IllegalArgumentException(StrictJson.quote(text)
                    + " has half of a surrogate pair in its text");
        }
    }

    private Region region(String name, DType dtype, long count) {
        Region region = regions.get(name);
        if (region == null) {
            throw new IllegalArgumentException("no tensor %s was declared, only %s"
                    .formatted(name, regions.keySet()));
        }
        if (region.dtype != dtype) {
            throw new IllegalArgumentException("%s is %s, not %s".formatted(name, region.dtype, dtype));
        }
        long left = (region.end - region.position) / dtype.bytes;
        if (count > left) {
            throw new IllegalArgumentException("%s has room for %d more elements, not %d"
                    .formatted(name, left, count));
        }
        return region;
    }

    private void flush(Region region, int bytes) {
        try {
            write(block.limit(bytes), region.position);
        } catch (IOException failure) {
            throw failed(path, failure);
        }
        region.position += bytes;
    }

    private static UncheckedIOException failed(Path path, IOException failure) {
        return new UncheckedIOException(path + ": cannot be written: " + failure.getMessage(), failure);
    }

    private void write(ByteBuffer bytes, long position) throws IOException {
        for (long at = position; bytes.hasRemaining(); ) {
            at += channel.write(bytes, at);
        }
    }
}
