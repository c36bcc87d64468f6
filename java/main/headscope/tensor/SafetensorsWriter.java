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
 * Writes one safetensors file atomically. All tensors are declared first and then filled incrementally, in any order
 * among them, so that large tensors need not fit in memory:
 * {@snippet :
 * try (SafetensorsWriter writer = SafetensorsWriter.create(path, Map.of(), List.of(
 *         new SafetensorsWriter.Layout("scores", DType.F32, samples, heads)))) {
 *     for (float[] row : rows) {
 *         writer.append("scores", row);
 *     }
 *     writer.commit();
 * }
 * }
 * Not thread-safe. Every method throws {@link UncheckedIOException} if the disk fails.
 */
public final class SafetensorsWriter implements AutoCloseable {
    /** Declaration of one tensor: F32, I64 or I32, row-major. */
    public record Layout(String name, DType dtype, long... shape) {
        public Layout {
            shape = shape.clone();
            if (dtype != DType.F32 && dtype != DType.I64 && dtype != DType.I32) {
                throw new IllegalArgumentException(name + ": dtype " + dtype
                        + " cannot be written; supported are F32, I64, I32");
            }
            if (name.equals(SafetensorsHeader.METADATA)) {
                throw new IllegalArgumentException("a tensor cannot be named " + name);
            }
            if (Arrays.stream(shape).anyMatch(extent -> extent < 0)) {
                throw new IllegalArgumentException(name + ": shape " + Arrays.toString(shape));
            }
        }

        @Override
        public long[] shape() {
            return shape.clone();
        }

        private long byteSize() {
            return Arrays.stream(shape).reduce(dtype.bytes, Math::multiplyExact);
        }
    }

    /** Byte range of a tensor in the file, and the position of its next element. */
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
     * Creates a temporary file next to {@code path}.
     *
     * @param metadata for the header
     * @param tensors  in the order of the header
     * @throws IllegalArgumentException if two tensors have the same name, the sizes overflow, or a text is not valid
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

    /** Appends elements to an F32 tensor. */
    public void append(String name, float... values) {
        append(name, DType.F32, values.length, (from, count) -> block.asFloatBuffer().put(values, from, count));
    }

    /** Appends elements to an I64 tensor. */
    public void append(String name, long... values) {
        append(name, DType.I64, values.length, (from, count) -> block.asLongBuffer().put(values, from, count));
    }

    /** Appends elements to an I32 tensor. */
    public void append(String name, int... values) {
        append(name, DType.I32, values.length, (from, count) -> block.asIntBuffer().put(values, from, count));
    }

    /** Copies elements from .. from + count - 1 of an array to the start of the block. */
    private interface BlockCopy {
        void copy(int from, int count);
    }

    private void append(String name, DType dtype, int length, BlockCopy values) {
        Region region = region(name, dtype, length);
        for (int from = 0; from < length; ) {
            int count = Math.min(length - from, block.capacity() / dtype.bytes);
            block.clear();
            values.copy(from, count);
            flush(region, count * dtype.bytes);
            from += count;
        }
    }

    /**
     * Moves the file to its path and replaces an older file.
     *
     * @throws IllegalStateException if a tensor is incomplete; the path is then unchanged
     */
    public void commit() {
        publish(true);
    }

    /**
     * Like {@link #commit}, without waiting for the disk: for files that can be recreated. After a power failure the
     * file may be damaged, which {@link Safetensors} detects.
     */
    public void commitUnforced() {
        publish(false);
    }

    private void publish(boolean force) {
        regions.forEach((name, region) -> {
            if (region.position != region.end) {
                throw new IllegalStateException("%s: the last %d elements of tensor %s are missing"
                        .formatted(path, (region.end - region.position) / region.dtype.bytes, name));
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

    /** Deletes the temporary file, unless it has been committed. */
    @Override
    public void close() {
        try {
            channel.close();
            Files.deleteIfExists(temporary);
        } catch (IOException failure) {
            throw failed(path, failure);
        }
    }

    /**
     * Offset of each tensor. Wide elements come first, so that every tensor is aligned to its elements, as PyTorch
     * requires.
     */
    private static Map<String, Long> begins(List<Layout> tensors) {
        Comparator<Layout> widestFirst = Comparator.comparingInt(layout -> -layout.dtype().bytes);
        Map<String, Long> begins = new LinkedHashMap<>();
        long begin = 0;
        try {
            for (Layout layout : tensors.stream().sorted(widestFirst).toList()) {
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

    /** Length and JSON, padded with spaces so that the data begin at a multiple of 8. */
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
            throw new IllegalArgumentException(Printable.quote(text)
                    + " contains an unpaired surrogate");
        }
    }

    private Region region(String name, DType dtype, long count) {
        Region region = regions.get(name);
        if (region == null) {
            throw new IllegalArgumentException("tensor %s was not declared; declared are %s"
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
        return new UncheckedIOException(path + ": cannot be written: " + DiskFailure.reason(failure), failure);
    }

    private void write(ByteBuffer bytes, long position) throws IOException {
        for (long at = position; bytes.hasRemaining(); ) {
            at += channel.write(bytes, at);
        }
    }
}
