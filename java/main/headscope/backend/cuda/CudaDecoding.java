package headscope.backend.cuda;

import headscope.backend.AttentionStatistics;
import headscope.backend.DecodingTexts;
import headscope.backend.Packing;
import headscope.backend.Recording;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The texts of a decoding step, in device memory that cuda/decoding_step.cu advances. */
final class CudaDecoding implements DecodingTexts {
    private final Device device;
    private final Kernels kernels;
    private final Size size;
    /** Of all layers. */
    private final Optional<AttentionStatistics> statistics;
    private final int layers;
    private final MemorySegment memory;
    private final MemorySegment mark;
    /** From table to tokens: what {@link #set} replaces. */
    private final MemorySegment described;
    private final MemorySegment table;
    private final MemorySegment marks;
    private final MemorySegment pages;
    /** Steps of each text since {@link #set}. */
    private final MemorySegment steps;
    private final MemorySegment tokens;
    private final MemorySegment positions;
    private final MemorySegment places;

    CudaDecoding(Device device, Kernels kernels, Size size, Optional<AttentionStatistics> statistics, int layers) {
        this.device = device;
        this.kernels = kernels;
        this.size = size;
        this.statistics = statistics;
        this.layers = layers;
        long ints = (long) size.texts() * Integer.BYTES;
        long doubles = (long) size.texts() * Double.BYTES;
        long[] bytes = {
            doubles, (long) size.texts() * TextTiles.BYTES, doubles * size.draws(), ints * size.pages(), ints, ints, ints, ints
        };
        this.memory = kernels.memory.allocate(Arrays.stream(bytes).sum());
        MemorySegment[] parts = new MemorySegment[bytes.length];
        long offset = 0;
        for (int i = 0; i < parts.length; i++) {
            parts[i] = memory.asSlice(offset, bytes[i]);
            offset += bytes[i];
        }
        this.mark = parts[0];
        this.table = parts[1];
        this.marks = parts[2];
        this.pages = parts[3];
        this.steps = parts[4];
        this.tokens = parts[5];
        this.positions = parts[6];
        this.places = parts[7];
        this.described = memory.asSlice(doubles, Arrays.stream(bytes, 1, 6).sum());
    }

    /** The texts of a packing that is described on the device. */
    static CudaDecoding of(Packing packing) {
        return (CudaDecoding) packing.decoding().orElseThrow();
    }

    @Override
    public Size size() {
        return size;
    }

    @Override
    public Packing packing() {
        return Packing.of(this);
    }

    /** TextTile of cuda/text_tile.cuh, one per text. */
    MemorySegment table() {
        return table;
    }

    MemorySegment pages() {
        return pages;
    }

    /** Rows of the pool that receive the keys of the tokens that the step reads. */
    MemorySegment places() {
        return places;
    }

    @Override
    public void set(List<Text> texts) {
        ByteBuffer buffer = ByteBuffer.allocate(Math.toIntExact(described.byteSize())).order(ByteOrder.nativeOrder());
        for (int i = 0; i < texts.size(); i++) {
            Text text = texts.get(i);
            TextTiles.put(buffer, new PackedTexts.Entry(
                    statistics.map(rows -> rows.offset(text.slot())).orElse(0L),
                    statistics.map(rows -> rows.capacity(text.slot())).orElse(0), text.slot(), 1, text.keys(), i, 0,
                    i * size.pages()), 0);
        }
        for (Text text : texts) {
            for (int draw = 0; draw < size.draws(); draw++) {
                buffer.putDouble(text.marks()[draw]);
            }
        }
        for (Text text : texts) {
            for (int page = 0; page < size.pages(); page++) {
                buffer.putInt(page < text.pages().length ? text.pages()[page] : 0);
            }
        }
        texts.forEach(text -> buffer.putInt(0));
        texts.forEach(text -> buffer.putInt(text.token()));
        device.upload(described, MemorySegment.ofArray(buffer.array()));
    }

    @Override
    public void advance() {
        addRows();
        kernels.perElement("decoding_step", "decoding_step_i32", size.texts(),
                positions, places, mark, steps, table, pages, marks, size.texts(), size.draws());
    }

    @Override
    public void addRows() {
        statistics.ifPresent(this::addRows);
    }

    private void addRows(AttentionStatistics all) {
        int blocks = PackedTexts.of(packing(), all).parts(device.constant("attention_add_rows_keys"), 0);
        int rounds = Math.toIntExact(kernels.tiles(all.heads(), "attention_add_rows_heads"));
        List<Object> arguments = new ArrayList<>(List.of(all.columnSum, all.sums));
        arguments.addAll(FusedAttention.vectors(all));
        arguments.addAll(List.of(all.row, all.newest, table, steps, size.texts(), all.texts() / layers, all.heads(),
                all.row.count() / layers));
        device.launch(new Launch("attention_add_rows_f64", blocks, rounds, layers,
                device.constant("attention_add_rows_threads"), 0, arguments));
    }

    @Override
    public void embedTokens(Tensor destination, Tensor words) {
        kernels.embed(destination, words, tokens);
    }

    @Override
    public void embedPositions(Tensor destination, Tensor rows) {
        kernels.embed(destination, rows, positions);
    }

    @Override
    public void argmax(Tensor logits) {
        kernels.argmax(tokens, logits);
    }

    @Override
    public void draw(Tensor logits, double temperature, double topP) {
        kernels.draw(tokens, logits, temperature, topP, mark);
    }

    @Override
    public void send() {
        device.send(tokens);
    }

    @Override
    public int[] tokens() {
        int[] chosen = new int[size.texts()];
        device.receive(MemorySegment.ofArray(chosen));
        return chosen;
    }

    @Override
    public Recording record(Runnable operations) {
        return device.record(operations);
    }

    @Override
    public void close() {
        kernels.memory.free(memory);
    }
}
