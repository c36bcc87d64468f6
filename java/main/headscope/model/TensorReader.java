package headscope.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.Backend;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Printable;
import headscope.tensor.Safetensors;
import headscope.tensor.StoredTensor;
import headscope.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Uploads tensors of a checkpoint by name, after a check of their shapes and values. Every tensor of the checkpoint must
 * be used, except buffers that hold no parameters.
 */
final class TensorReader {
    /** Masks, rotary frequencies and heads for other tasks. */
    private static final Pattern NOT_PARAMETERS = Pattern.compile(
            ".*(\\.attn\\.(masked_)?bias|attention\\.(masked_)?bias|inv_freq|position_ids)|bert\\.pooler\\..*|cls\\.seq_relationship\\..*");

    /** Elements that are converted at a time: 16 MiB in fp32. */
    private static final long STAGED = 1 << 22;

    /** At most so many names in a message. */
    private static final int SHOWN = 4;

    private final Safetensors file;
    private final Backend backend;
    private final List<Buffer> buffers;
    private final boolean namesOnly;
    private final Set<String> used = new HashSet<>();
    private final Set<String> missing = new LinkedHashSet<>();

    private TensorReader(Safetensors file, Backend backend, List<Buffer> buffers, boolean namesOnly) {
        this.file = file;
        this.backend = backend;
        this.buffers = buffers;
        this.namesOnly = namesOnly;
    }

    /** @param buffers receives every buffer that is allocated, also if reading fails */
    static TensorReader of(Safetensors file, Backend backend, List<Buffer> buffers) {
        return new TensorReader(file, backend, buffers, false);
    }

    /** Only looks whether each tensor exists, for {@link #requireAll}: it returns tensors without memory. */
    static TensorReader ofNames(Safetensors file, Backend backend) {
        return new TensorReader(file, backend, List.of(), true);
    }

    boolean has(String name) {
        return file.has(name);
    }

    /** Declares that a tensor remains unused if the checkpoint contains it. */
    void ignore(String name) {
        used.add(name);
    }

    /** Number of rows of a stored matrix. */
    long rows(String name, long width) {
        return namesOnly ? 1 : file.get(name).count() / width;
    }

    boolean haveSameBytes(String name, String other) {
        if (!file.has(name) || !file.has(other)) {
            return false;
        }
        StoredTensor one = file.get(name);
        StoredTensor two = file.get(other);
        return one.dtype() == two.dtype() && Arrays.equals(one.shape(), two.shape())
                && one.bytes().mismatch(two.bytes()) == -1;
    }

    /** Copies fp32 elements from their stored order to the order in which they are used. */
    interface Reordering {
        void fill(MemorySegment to, MemorySegment stored);
    }

    Tensor tensor(String name, long... shape) {
        return asStored(DType.F32, name, shape);
    }

    /** A tensor of {@link Backend#operands}. */
    Tensor operand(String name, long... shape) {
        return asStored(backend.operands(), name, shape);
    }

    private Tensor asStored(DType dtype, String name, long... shape) {
        if (namesOnly) {
            return named(dtype, name, shape);
        }
        StoredTensor stored = checked(name, shape);
        Tensor tensor = allocate(dtype, shape);
        Tensor elements = tensor.as(tensor.count());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment staging = arena.allocate(Math.min(STAGED, stored.count()) * Float.BYTES, Float.BYTES);
            for (long first = 0; first < stored.count(); first += STAGED) {
                long count = Math.min(STAGED, stored.count() - first);
                MemorySegment values = staging.asSlice(0, count * Float.BYTES);
                copy(stored, first, values);
                upload(elements.rows(first, count), values);
            }
        }
        stored.release();
        return tensor;
    }

    Tensor reordered(
            DType dtype, String name, long[] storedShape, long[] shape, Reordering reordering) {
        if (namesOnly) {
            return named(dtype, name, shape);
        }
        StoredTensor stored = checked(name, storedShape);
        Tensor tensor = allocate(dtype, shape);
        try (Arena staging = Arena.ofConfined()) {
            MemorySegment values = staging.allocate(stored.count() * Float.BYTES, Float.BYTES);
            copy(stored, 0, values);
            MemorySegment used = staging.allocate(Tensor.count(shape) * Float.BYTES, Float.BYTES);
            reordering.fill(used, values);
            upload(tensor, used);
        }
        stored.release();
        return tensor;
    }

    @SuppressWarnings("restricted") // the segment has a size and no memory; nothing reads it
    private Tensor named(DType dtype, String name, long... shape) {
        if (!file.has(name)) {
            missing.add(name);
        }
        long bytes = Tensor.count(shape) * dtype.bytes;
        return Tensor.of(new Buffer(MemorySegment.NULL.reinterpret(bytes), () -> {}), dtype, shape);
    }

    private static void copy(StoredTensor stored, long first, MemorySegment values) {
        stored.copyTo(first, values);
        for (long i = 0; i < values.byteSize() / Float.BYTES; i++) {
            float value = values.getAtIndex(JAVA_FLOAT, i);
            if (!Float.isFinite(value)) {
                throw new ModelFormatException(stored.file(), "tensor \"" + stored.name() + "\"",
                        "element %d is %s; the weights are damaged".formatted(first + i, value));
            }
        }
    }

    private Tensor allocate(DType dtype, long... shape) {
        Tensor tensor = backend.allocate(dtype, shape);
        buffers.add(tensor.buffer());
        return tensor;
    }

    private void upload(Tensor tensor, MemorySegment values) {
        if (tensor.dtype() == DType.F32) {
            backend.upload(tensor, values);
        } else {
            Tensor exact = backend.allocate(DType.F32, tensor.shape());
            backend.upload(exact, values);
            backend.convert(tensor, exact);
            exact.buffer().close();
        }
    }

    private StoredTensor checked(String name, long... shape) {
        StoredTensor stored = file.get(name);
        if (!Arrays.equals(stored.shape(), shape)) {
            throw new ModelFormatException(stored.file(), "tensor \"" + name + "\"",
                    "has shape %s, but config.json requires %s".formatted(Arrays.toString(stored.shape()), Arrays.toString(shape)));
        }
        used.add(name);
        return stored;
    }

    /** @throws ModelFormatException that names the tensors that do not exist */
    void requireAll() {
        if (!missing.isEmpty()) {
            List<String> names = List.copyOf(missing);
            throw new ModelFormatException(file.path(), "tensor " + Printable.quote(names.getFirst()),
                    "no such tensor" + (names.size() == 1 ? "" : " (missing tensors: %s)".formatted(several(names))));
        }
    }

    /** An unused parameter means that the model differs from config.json. */
    void rejectUnused(Family family) {
        Set<String> unused = new TreeSet<>(file.names());
        unused.removeAll(used);
        unused.removeIf(name -> NOT_PARAMETERS.matcher(name).matches());
        if (!unused.isEmpty()) {
            List<String> names = List.copyOf(unused);
            throw new ModelFormatException(file.get(names.getFirst()).file(), "tensor " + Printable.quote(names.getFirst()),
                    "is not part of a %s model with this config.json (unused tensors: %s)"
                            .formatted(family.modelType(), several(names)));
        }
    }

    /** The number of names, and those behind the first one up to a limit: 9, also "b", "c", "d", ... */
    private static String several(List<String> names) {
        List<String> shown = names.subList(1, Math.min(names.size(), SHOWN));
        return names.size() + (shown.isEmpty() ? "" : ", also "
                + shown.stream().map(Printable::quote).collect(Collectors.joining(", ")))
                + (names.size() > SHOWN ? ", ..." : "");
    }
}
