package headscope.backend.cuda;

import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Products of few rows with 16-bit weights on Hopper, such as those of decoded tokens: linear_few_rows_90a.cu. */
final class FewRows {
    /** Rows of weight in a tile. Large tiles read x less often; of small ones, enough clusters of eight fill the device. */
    private static final int SMALL = 128;

    private static final int LARGE = 256;

    /** Blocks in a cluster for which the kernel is compiled; with small tiles only the first. */
    private static final int[] BLOCKS = {8, 4, 2, 1};

    /** One for each multiprocessor of an H100, whose parts of 16 or 18 hold two clusters of eight. */
    private static final int MOST_BLOCKS = 132;

    /** The rows of a tensor map lie a multiple of 16 bytes apart: 8 elements. */
    private static final int STEP = 8;

    private final Device device;

    FewRows(Device device) {
        this.device = device;
    }

    /** Whether {@link #multiply} takes so many rows. */
    boolean take(int rows, Tensor weight) {
        return device.hasWarpGroups() && weight.dtype() != DType.F32 && weight.size(1) % STEP == 0
                && rows > 0 && rows <= device.constant("linear_few_rows_90a_rows");
    }

    /**
     * destination = x weight' + bias, or += if it adds; x is of the weights' type. The launch before this one must not write the
     * weights.
     */
    void multiply(Tensor destination, boolean adds, Tensor x, Tensor weight, Optional<Tensor> bias) {
        int out = weight.intSize(0);
        int tile = BLOCKS[0] * tiles(out, SMALL) <= MOST_BLOCKS ? SMALL : LARGE;
        int blocks = Arrays.stream(BLOCKS).filter(count -> count * tiles(out, tile) <= MOST_BLOCKS).findFirst().orElse(1);
        String ofTile = "linear_few_rows_90a_t%d".formatted(tile);
        device.launch(new Launch(
                "linear_few_rows_90a_%s_t%d_c%d".formatted(Kernels.name(weight.dtype()), tile, blocks),
                blocks * tiles(out, tile), 1, 1, device.constant(ofTile + "_threads"), device.constant(ofTile + "_shared"),
                List.of(destination, TensorMap.ofRows(x, device.constant("linear_few_rows_90a_rows")),
                        TensorMap.ofRows(weight, tile), bias, x.intSize(0), weight.intSize(1), out, adds ? 1 : 0)));
    }

    private static long tiles(int out, int tile) {
        return (out + tile - 1) / tile;
    }
}
