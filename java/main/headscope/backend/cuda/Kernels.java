package headscope.backend.cuda;

import headscope.backend.AttentionSpec;
import headscope.backend.Packing;
import headscope.backend.SplitOnOutOfMemory;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Launch configurations shared by many kernels, and temporary device memory. */
final class Kernels {
    static final int WARP = 32;

    /** Head widths for which attention kernels are compiled. */
    private static final int[] WIDTHS = {16, 32, 64, 80, 96, 128, 256};

    /** Head widths for which attention kernels for Hopper are compiled. */
    private static final int[] HOPPER_WIDTHS = {64, 80, 96, 128};

    /** Copies by tensor maps consist of multiples of 16 bytes. */
    private static final int HOPPER_WIDTH_STEP = 8;

    private final Device device;
    final DeviceMemory memory;
    final TextTiles tiles;

    Kernels(Device device) {
        this.device = device;
        this.memory = new DeviceMemory(device);
        this.tiles = new TextTiles(device);
    }

    /** Launches one block per row of width elements. */
    void perRow(String family, long rows, int width, Object... arguments) {
        device.launch(Launch.flat(family + "_f32", rows, 1, fitting(family + "_threads", width), arguments));
    }

    /** Launches one block per row, whose threads hold some columns each, of the kernel that writes this type. */
    void perHeldRow(String family, DType to, long rows, int width, Object... arguments) {
        int threads = fitting(family + "_threads", (int) tiles(width, family + "_thread_columns"));
        device.launch(Launch.flat(family + "_" + name(to), rows, 1, threads, arguments));
    }

    /** Launches one thread per element. */
    void perElement(String family, String kernel, long count, Object... arguments) {
        int threads = device.constant(family + "_threads");
        device.launch(Launch.flat(kernel, (count + threads - 1) / threads, 1, threads, arguments));
    }

    /** Launches blocks that each take some columns of one row of [rows, width]. */
    void perColumnsOfRow(String family, String columns, String kernel, Tensor rows, Object... arguments) {
        perBlock(family, kernel, rows.size(0) * tiles(rows.size(1), columns), arguments);
    }

    /** Launches this many blocks of the family's size. */
    void perBlock(String family, String kernel, long blocks, Object... arguments) {
        device.launch(Launch.flat(kernel, blocks, 1, device.constant(family + "_threads"), arguments));
    }

    /**
     * Launches an attention kernel with one block per tile of rows, and gridY rows of blocks.
     *
     * @param keys     type of keys and values
     * @param operands arguments before ATTENTION_SPEC
     * @param rest     arguments after it
     */
    void perTile(
            String family, TextTiles.Part part, DType keys, PackedTexts texts, int gridY, AttentionSpec spec,
            List<?> operands, Object... rest) {
        String kernel = ofWidth(family, keys, spec);
        // The fp32 kernels of a family share their launch constants; each 16-bit kernel has its own.
        String suffix = part == TextTiles.Part.KEY_TILE ? "_key_tile" : "_query_tile";
        int rows = device.constant(keys == DType.F32 ? family + suffix : kernel + "_tile");
        int threads = device.constant((keys == DType.F32 ? family : kernel) + "_threads");
        int shared = keys == DType.F32 ? 0 : device.constant(kernel + "_shared");
        Object table = Optional.empty();
        PackedTexts.Entry only = texts.first();
        long blocks = ((part == TextTiles.Part.KEY_TILE ? only.keys() : only.queries()) + rows - 1L) / rows;
        if (!texts.alone()) {
            TextTiles.Table tiles = this.tiles.of(texts, part, rows);
            table = tiles.memory();
            blocks = tiles.count();
        }
        device.launch(new Launch(kernel, blocks, gridY, 1, threads, shared,
                arguments(operands, table, only, spec, rest)));
    }

    /** ATTENTION_SPEC of cuda/README.md between other arguments; the table is empty for a text alone. */
    static List<Object> arguments(
            List<?> operands, Object table, PackedTexts.Entry only, AttentionSpec spec, Object... rest) {
        List<Object> arguments = new ArrayList<>(operands);
        arguments.addAll(List.of(
                table, only.queries(), only.keys(), spec.heads(), spec.kvHeads(), spec.headDim(), spec.scale(),
                spec.causal() ? 1 : 0, spec.window(), spec.softCap()));
        arguments.addAll(List.of(rest));
        return arguments;
    }

    /**
     * Whether the kernels for Hopper, which take queries, keys and values as tensor maps, compute this attention. Narrow heads
     * are left to the other kernels: those for Hopper would waste most of each tile.
     */
    boolean takeTensorMaps(DType keys, AttentionSpec spec) {
        return device.hasWarpGroups() && keys != DType.F32 && spec.headDim() % HOPPER_WIDTH_STEP == 0
                && spec.headDim() > WIDTHS[1] && spec.headDim() <= HOPPER_WIDTHS[HOPPER_WIDTHS.length - 1];
    }

    /** The table of the texts, one entry per text; empty for a text alone. */
    Object table(PackedTexts texts) {
        return texts.alone() ? Optional.empty() : tiles.of(texts, TextTiles.Part.TEXT, 1).memory();
    }

    /** The name of a family's kernel for the type of keys and the head width. */
    static String ofWidth(String family, DType keys, AttentionSpec spec) {
        int[] widths = family.endsWith(Fatbins.HOPPER) ? HOPPER_WIDTHS : WIDTHS;
        int width = Arrays.stream(widths).filter(compiled -> compiled >= spec.headDim()).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("heads of width %d; kernels support at most %d"
                        .formatted(spec.headDim(), WIDTHS[WIDTHS.length - 1])));
        return family + "_" + name(keys) + "_d" + width;
    }

    /** Looks up rows whose ids are on the device, one per row of the destination. */
    void embed(Tensor destination, Tensor table, MemorySegment ids) {
        device.launch(Launch.flat("embed_" + name(table.dtype()), destination.size(0), 1,
                fitting("embed_threads", table.intSize(1)), destination, table, ids, table.intSize(1)));
    }

    /** Writes the chosen tokens, int, to device memory. */
    void argmax(MemorySegment chosen, Tensor logits) {
        int words = logits.intSize(1);
        device.launch(Launch.flat(
                "argmax_f32", logits.size(0), 1, fitting("sample_threads", words), chosen, logits, words));
    }

    /** Writes the chosen tokens, int, to device memory; marks, fp64, are on the device as well. */
    void draw(MemorySegment chosen, Tensor logits, double temperature, double topP, MemorySegment marks) {
        int words = logits.intSize(1);
        device.launch(Launch.flat("draw_f32", logits.size(0), 1, fitting("sample_threads", words),
                chosen, logits, marks, temperature, topP, words));
    }

    /** destination [count, queries, keys] = the probabilities of heads first .. first + count - 1; q is of k's type. */
    void attentionMaps(Object destination, Tensor q, Tensor k, AttentionSpec spec, int first, int count) {
        PackedTexts text = PackedTexts.ofRows(Packing.of(q.intSize(0), k.intSize(0)), spec);
        perTile("attention_map", TextTiles.Part.QUERY_TILE, k.dtype(), text, count, spec,
                List.of(destination, q, k, spec.sinks()), first);
    }

    /** Pools the rows of maps with pooled columns, [heads, tokens, cells] to [heads, cells, cells]. */
    void poolRows(Tensor pooledMaximum, Tensor pooledMean, Scratch largest, Scratch sums, int tokens) {
        perElement("attention_saliency_pool", "attention_saliency_pool_f32", pooledMean.count(),
                pooledMaximum, pooledMean, largest.memory(), sums.memory(), pooledMean.count(), tokens,
                pooledMean.intSize(1));
    }

    int constant(String name) {
        return device.constant(name);
    }

    /** The number of tiles of an exported length that cover size rows. */
    long tiles(long size, String tile) {
        int length = device.constant(tile);
        return (size + length - 1) / length;
    }

    /** Block size for a row of elements: whole warps, at most the exported constant. */
    int fitting(String constant, int elements) {
        return Math.min(device.constant(constant), (elements + WARP - 1) / WARP * WARP);
    }

    /** The type's name in kernel names. */
    static String name(DType dtype) {
        return dtype.name().toLowerCase(Locale.ROOT);
    }

    /** x itself if it has this type, otherwise a temporary copy converted to it. */
    Operand operand(Tensor x, DType dtype) {
        if (x.dtype() == dtype) {
            return new Operand(x, () -> {});
        }
        Tensor converted = tensor(memory.reserve(Math.multiplyExact(x.count(), dtype.bytes)), dtype, x.shape());
        convert(converted, x);
        return new Operand(converted, converted.buffer()::close);
    }

    /** destination = a b. */
    void product(Tensor destination, Tensor a, Tensor b) {
        multiply(destination, false, a, b, false);
    }

    /** destination = x weight' + bias, or += if it adds. */
    void linear(Tensor destination, boolean adds, Tensor x, Tensor weight, Optional<Tensor> bias) {
        multiply(destination, adds, x, weight, true);
        bias.ifPresent(row -> addRow(destination, row));
    }

    /** destination = a b or a b', or += if it adds. a is converted to b's type, as many rows at a time as memory allows. */
    private void multiply(Tensor destination, boolean adds, Tensor a, Tensor b, boolean transposed) {
        SplitOnOutOfMemory.run(a.intSize(0), (first, count) -> {
            try (Operand rows = operand(a.rows(first, count), b.dtype())) {
                device.multiply(new Product(destination.rows(first, count), adds, rows.tensor(), false, b, transposed));
            }
        });
    }

    void addRow(Tensor x, Tensor row) {
        perElement("elementwise", "add_row_f32", x.count(), x, row, x.count(), x.intSize(1));
    }

    /** A zeroed tensor. The caller closes its buffer. */
    Tensor tensor(DType dtype, long... shape) {
        return tensor(memory.allocate(Math.multiplyExact(Tensor.count(shape), dtype.bytes)), dtype, shape);
    }

    private Tensor tensor(MemorySegment bytes, DType dtype, long... shape) {
        return Tensor.of(new Buffer(bytes, () -> memory.free(bytes)), dtype, shape);
    }

    void convert(Tensor destination, Tensor source) {
        perBlock("convert", "convert_%s_%s".formatted(name(destination.dtype()), name(source.dtype())),
                tiles(source.count(), "convert_elements"), destination, source, source.count());
    }

    /** A tensor, or a temporary copy of it in another type. */
    record Operand(Tensor tensor, Runnable release) implements AutoCloseable {
        @Override
        public void close() {
            release.run();
        }
    }

    Scratch scratch(long bytes) {
        return new Scratch(memory, memory.allocate(bytes));
    }

    /** Temporary memory that kernels write before they read it: it is not cleared. */
    Scratch reserved(long bytes) {
        return new Scratch(memory, memory.reserve(bytes));
    }

    /** Host values copied to temporary device memory. */
    Scratch uploaded(MemorySegment values) {
        Scratch scratch = reserved(values.byteSize());
        device.upload(scratch.memory(), values);
        return scratch;
    }

    /** Temporary device memory. */
    record Scratch(DeviceMemory owner, MemorySegment memory) implements AutoCloseable {
        /** The memory as a tensor, which does not free it. */
        Tensor as(DType dtype, long... shape) {
            return Tensor.of(new Buffer(memory, () -> {}), dtype, shape);
        }

        @Override
        public void close() {
            owner.free(memory);
        }
    }
}
