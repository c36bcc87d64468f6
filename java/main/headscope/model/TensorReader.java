package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Printable;
import headscope.tensor.Safetensors;
import headscope.tensor.StoredTensor;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * Finds tensors of a checkpoint by name, checks their shapes, and uploads them together. Every tensor of the checkpoint must
 * be used, except buffers that hold no parameters.
 */
final class TensorReader {
    /** Masks, rotary frequencies and heads for other tasks. */
    private static final Pattern NOT_PARAMETERS = Pattern.compile(
            ".*(\\.attn\\.(masked_)?bias|attention\\.(masked_)?bias|inv_freq|position_ids)|bert\\.pooler\\..*|cls\\.seq_relationship\\..*");

    /** At most so many names in a message. */
    private static final int SHOWN = 4;

    private final Safetensors file;
    private final Backend backend;
    private final List<Buffer> buffers;
    private final boolean namesOnly;
    private final WeightPieces pieces = new WeightPieces();
    private final Set<String> used = new HashSet<>();
    private final Set<String> missing = new LinkedHashSet<>();
    private final Set<DType> matrices = EnumSet.noneOf(DType.class);

    /** All rows of a stored tensor, as a part of a joined one. */
    record Rows(String name, long count) {}

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

    Tensor tensor(String name, long... shape) {
        return tensor(name, shape, shape, StoredOrder.SAME);
    }

    /** A matrix of weights, in the type in which the backend keeps it. */
    Tensor operand(String name, long... shape) {
        return operand(name, shape, shape, StoredOrder.SAME);
    }

    /**
     * A matrix of weights.
     *
     * @param stored shape in the file
     */
    Tensor operand(String name, long[] stored, long[] shape, StoredOrder order) {
        if (file.has(name)) {
            matrices.add(file.get(name).dtype());
        }
        return namesOnly ? named(name, shape) : read(backend.weights(file.get(name).dtype()), name, stored, shape, order);
    }

    /**
     * Matrices of weights [.., in], one below the other: in the type in which the backend keeps all of them, otherwise in fp32.
     */
    Tensor operand(List<Rows> parts, long in) {
        List<DType> stored = parts.stream().filter(part -> file.has(part.name())).map(part -> file.get(part.name()).dtype())
                .toList();
        matrices.addAll(stored);
        List<DType> kept = stored.stream().map(backend::weights).distinct().toList();
        return joined(kept.size() == 1 ? kept.getFirst() : DType.F32, parts, in);
    }

    /** Fp32 vectors, one after the other. */
    Tensor tensor(List<Rows> parts) {
        return joined(DType.F32, parts);
    }

    private Tensor joined(DType dtype, List<Rows> parts, long... row) {
        long[] shape = shape(parts.stream().mapToLong(Rows::count).sum(), row);
        if (namesOnly) {
            parts.forEach(part -> requireLater(part.name()));
            return unread(shape);
        }
        List<StoredTensor> stored = parts.stream().map(part -> checked(part.name(), shape(part.count(), row))).toList();
        Tensor all = allocate(dtype, shape);
        long first = 0;
        for (int i = 0; i < parts.size(); i++) {
            pieces.add(stored.get(i), StoredOrder.SAME, all.rows(first, parts.get(i).count()));
            first += parts.get(i).count();
        }
        return all;
    }

    private static long[] shape(long rows, long... row) {
        return LongStream.concat(LongStream.of(rows), Arrays.stream(row)).toArray();
    }

    /** An fp32 tensor. */
    Tensor tensor(String name, long[] stored, long[] shape, StoredOrder order) {
        return namesOnly ? named(name, shape) : read(DType.F32, name, stored, shape, order);
    }

    /** An fp32 vector whose elements are stored minus 1. */
    Tensor onePlus(String name, long width) {
        if (namesOnly) {
            return named(name, width);
        }
        StoredTensor stored = checked(name, width);
        float[] values = stored.floats();
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw WeightPiece.damaged(stored);
            }
            values[i] += 1;
        }
        Tensor tensor = allocate(DType.F32, width);
        backend.upload(tensor, MemorySegment.ofArray(values));
        return tensor;
    }

    private Tensor read(DType dtype, String name, long[] stored, long[] shape, StoredOrder order) {
        StoredTensor tensor = checked(name, stored);
        Tensor read = allocate(dtype, shape);
        pieces.add(tensor, order, read);
        return read;
    }

    /** Reads all tensors but those of {@link #onePlus}; until then they are zeros. */
    void read() {
        pieces.upload(backend);
    }

    private Tensor named(String name, long... shape) {
        requireLater(name);
        return unread(shape);
    }

    private void requireLater(String name) {
        if (!file.has(name)) {
            missing.add(name);
        }
    }

    @SuppressWarnings("restricted") // the segment has a size and no memory; nothing reads it
    private static Tensor unread(long... shape) {
        long bytes = Tensor.count(shape) * DType.F32.bytes;
        return Tensor.of(new Buffer(MemorySegment.NULL.reinterpret(bytes), () -> {}), DType.F32, shape);
    }

    private Tensor allocate(DType dtype, long... shape) {
        Tensor tensor = backend.allocate(dtype, shape);
        buffers.add(tensor.buffer());
        return tensor;
    }

    private StoredTensor checked(String name, long... shape) {
        StoredTensor stored = file.get(name);
        if (!Arrays.equals(stored.shape(), shape)) {
            throw new ModelFormatException(stored.file(), "tensor \"" + name + "\"",
                    "has shape %s, but config.json requires %s".formatted(Arrays.toString(stored.shape()), Arrays.toString(shape)));
        }
        stored.requireFloatingPoint();
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

    /**
     * The CPU keeps matrices in 16 bits only as they are stored, and rounds none.
     *
     * @throws ModelFormatException if it is to keep a type in which no matrix is stored
     */
    void requireKept() {
        for (DType type : List.of(DType.BF16, DType.F16)) {
            if (!backend.isGpu() && backend.weights(type) == type && !matrices.contains(type)) {
                throw new ModelFormatException(file.path(), ("has no weights in %1$s: on the CPU, --dtype %1$s keeps weights as"
                        + " they are stored and rounds none; use --dtype f32").formatted(type.name().toLowerCase(Locale.ROOT)));
            }
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
