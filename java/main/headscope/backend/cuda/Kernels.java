package headscope.backend.cuda;

import headscope.backend.AttentionSpec;
import headscope.backend.SplitOnOutOfMemory;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The few shapes that launches have, and memory for the length of one call. */
final class Kernels {
    static final int WARP = 32;

    /** Head widths that attention kernels are compiled for. */
    private static final int[] WIDTHS = {16, 32, 64, 80, 96, 128, 256};

    private final Device device;
    final DeviceMemory memory;

    Kernels(Device device) {
        this.device = device;
        this.memory = new DeviceMemory(device);
    }

    /** One block per row of width elements. */
    void perRow(String family, long rows, int width, Object... arguments) {
        device.launch(Launch.flat(family + "_f32", rows, 1, fitting(family + "_threads", width), arguments));
    }

    /** One thread per element. */
    void perElement(String family, String kernel, long count, Object... arguments) {
        int threads = device.constant(family + "_threads");
        device.launch(Launch.flat(kernel, (count + threads - 1) / threads, 1, threads, arguments));
    }

    /**
     * One block per tile of rows, and so many along grid y, of an attention kernel.
     *
     * @param tile "query_tile" or "key_tile"
     * @param keys type of keys and values
     */
    void perTile(
            String family, String tile, DType keys, Tensor rows, int gridY, AttentionSpec spec, List<Object> arguments) {
        String kernel = ofWidth(family, keys, spec);
        // fp32 kernels of a family are launched alike, those of 16 bits each in its own way.
        device.launch(keys == DType.F32
                ? new Launch(kernel, tiles(rows.size(0), family + "_" + tile), gridY, 1,
                        device.constant(family + "_threads"), 0, arguments)
                : new Launch(kernel, tiles(rows.size(0), kernel + "_tile"), gridY, 1,
                        device.constant(kernel + "_threads"), device.constant(kernel + "_shared"), arguments));
    }

    /** The kernel of an attention family for these keys. */
    static String ofWidth(String family, DType keys, AttentionSpec spec) {
        int width = Arrays.stream(WIDTHS).filter(room -> room >= spec.headDim()).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("heads of width %d; kernels go up to %d"
                        .formatted(spec.headDim(), WIDTHS[WIDTHS.length - 1])));
        return family + "_" + name(keys) + "_d" + width;
    }

    /** destination [count, queries, keys] = the probabilities of heads first .. first + count - 1; q is of k's type. */
    void attentionMaps(Object destination, Tensor q, Tensor k, AttentionSpec spec, int first, int count) {
        List<Object> arguments = new ArrayList<>(List.of(destination, q, k, spec.sinks()));
        arguments.addAll(spec(q, k, spec));
        arguments.add(first);
        perTile("attention_map", "query_tile", k.dtype(), q, count, spec, arguments);
    }

    /** Rows of cells, both [heads, tokens, cells] -> [heads, cells, cells]. */
    void poolRows(Tensor pooledMaximum, Tensor pooledMean, Scratch largest, Scratch sums, int tokens) {
        perElement("attention_saliency_pool", "attention_saliency_pool_f32", pooledMean.count(),
                pooledMaximum, pooledMean, largest.memory(), sums.memory(), pooledMean.count(), tokens,
                pooledMean.intSize(1));
    }

    /** SPEC of cuda/README.md. */
    static List<Object> spec(Tensor q, Tensor k, AttentionSpec spec) {
        return List.of(
                q.intSize(0), k.intSize(0), spec.heads(), spec.kvHeads(), spec.headDim(), spec.scale(),
                spec.causal() ? 1 : 0, spec.window(), spec.softCap());
    }

    /** Tiles of the exported length that cover so many rows. */
    long tiles(long size, String tile) {
        int length = device.constant(tile);
        return (size + length - 1) / length;
    }

    /** Threads of a block that walks so many elements: whole warps, at most what the family exports. */
    int fitting(String most, int elements) {
        return Math.min(device.constant(most), (elements + WARP - 1) / WARP * WARP);
    }

    /** As kernels' names end. */
    static String name(DType dtype) {
        return dtype.name().toLowerCase(Locale.ROOT);
    }

    /** x itself where it is of this type, otherwise rounded to it for the length of a call. */
    Operand operand(Tensor x, DType dtype) {
        if (x.dtype() == dtype) {
            return new Operand(x, () -> {});
        }
        Tensor rounded = tensor(dtype, x.shape());
        convert(rounded, x);
        return new Operand(rounded, rounded.buffer()::close);
    }

    /** destination = a b, or a b': a is rounded to b's type, as many rows at a time as memory allows. */
    void product(Tensor destination, Tensor a, Tensor b, boolean bTransposed) {
        SplitOnOutOfMemory.run(a.intSize(0), (first, count) -> {
            try (Operand rows = operand(a.rows(first, count), b.dtype())) {
                device.multiply(new Product(destination.rows(first, count), rows.tensor(), false, b, bTransposed));
            }
        });
    }

    /** Zeroed. Whoever asked closes its buffer. */
    Tensor tensor(DType dtype, long... shape) {
        MemorySegment bytes = memory.allocate(Math.multiplyExact(Tensor.count(shape), dtype.bytes));
        return Tensor.of(new Buffer(bytes, () -> memory.free(bytes)), dtype, shape);
    }

    void convert(Tensor destination, Tensor source) {
        perElement("convert", "convert_%s_%s".formatted(name(destination.dtype()), name(source.dtype())),
                source.count(), destination, source, source.count());
    }

    /** One side of a product. */
    record Operand(Tensor tensor, Runnable release) implements AutoCloseable {
        @Override
        public void close() {
            release.run();
        }
    }

    Scratch scratch(long bytes) {
        return new Scratch(memory, memory.allocate(bytes));
    }

    /** What the host gives to one call. */
    Scratch uploaded(MemorySegment values) {
        Scratch scratch = scratch(values.byteSize());
        device.upload(scratch.memory(), values);
        return scratch;
    }

    /** Device memory of one call. */
    record Scratch(DeviceMemory from, MemorySegment memory) implements AutoCloseable {
        @Override
        public void close() {
            from.free(memory);
        }
    }
}
