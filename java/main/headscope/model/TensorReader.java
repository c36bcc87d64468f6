package headscope.model;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.backend.Backend;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import headscope.tensor.StoredTensor;
import headscope.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Uploads tensors of a checkpoint by name, after a check of their shapes and values. Every tensor of the checkpoint must
 * be used, except buffers that hold no parameters.
 */
final class TensorReader {
    /** Masks, rotary frequencies and heads for other tasks. */
    private static final Pattern NOT_PARAMETERS = Pattern.compile(
            ".*(\\.attn\\.(masked_)?bias|attention\\.(masked_)?bias|inv_freq|position_ids)|bert\\.pooler\\..*|cls\\.seq_relationship\\..*");

    private final Safetensors file;
    private final Backend backend;
    private final List<Buffer> buffers;
    private final Set<String> used = new HashSet<>();

    /** @param buffers receives every buffer that is allocated, also if reading fails */
    TensorReader(Safetensors file, Backend backend, List<Buffer> buffers) {
        this.file = file;
        this.backend = backend;
        this.buffers = buffers;
    }

    boolean has(String name) {
        return file.has(name);
    }

    /** Declares that a tensor remains unused if the checkpoint contains it. */
    void ignore(String name) {
        used.add(name);
    }

    StoredTensor get(String name) {
        return file.get(name);
    }

    boolean haveSameBytes(String name, String other) {
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
        try (Arena staging = Arena.ofConfined()) {
            return upload(dtype, stored(name, staging, shape), shape);
        }
    }

    Tensor reordered(
            DType dtype, String name, long[] storedShape, long[] shape, Reordering reordering) {
        try (Arena staging = Arena.ofConfined()) {
            MemorySegment stored = stored(name, staging, storedShape);
            MemorySegment used = staging.allocate(Tensor.count(shape) * Float.BYTES, Float.BYTES);
            reordering.fill(used, stored);
            return upload(dtype, used, shape);
        }
    }

    private MemorySegment stored(String name, Arena staging, long... shape) {
        StoredTensor tensor = checked(name, shape);
        MemorySegment values = staging.allocate(tensor.count() * Float.BYTES, Float.BYTES);
        tensor.copyTo(values);
        for (long i = 0; i < tensor.count(); i++) {
            float value = values.getAtIndex(JAVA_FLOAT, i);
            if (!Float.isFinite(value)) {
                throw new ModelFormatException(tensor.file(), "tensor \"" + name + "\"",
                        "element %d is %s; the weights are damaged".formatted(i, value));
            }
        }
        return values;
    }

    private Tensor upload(DType dtype, MemorySegment values, long... shape) {
        Tensor tensor = backend.allocate(dtype, shape);
        buffers.add(tensor.buffer());
        if (dtype == DType.F32) {
            backend.upload(tensor, values);
        } else {
            Tensor exact = backend.allocate(DType.F32, shape);
            backend.upload(exact, values);
            backend.convert(tensor, exact);
            exact.buffer().close();
        }
        return tensor;
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

    /** An unused parameter means that the model differs from config.json. */
    void rejectUnused(Family family) {
        Set<String> unused = new TreeSet<>(file.names());
        unused.removeAll(used);
        unused.removeIf(name -> NOT_PARAMETERS.matcher(name).matches());
        if (!unused.isEmpty()) {
            String first = unused.iterator().next();
            throw new ModelFormatException(file.get(first).file(), "tensor \"" + first + "\"",
                    "is not part of a %s model with this config.json (unused tensors: %d)"
                            .formatted(family.modelType(), unused.size()));
        }
    }
}
