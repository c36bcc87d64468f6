package headscope.backend.cuda;

import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Products of few rows with 16-bit weights on Hopper, such as those of decoded tokens: linear_few_rows_90a.cu. */
final class FewRows {
    /** Blocks in a cluster for which the kernel is compiled. */
    private static final int[] BLOCKS = {8, 4, 2, 1};

    /** One for each multiprocessor of an H100, whose parts of 16 or 18 hold two clusters of eight. */
    private static final int MOST_BLOCKS = 132;

    /** The rows of a tensor map lie a multiple of 16 bytes apart: 8 elements. */
    private static final int STEP = 8;

    private final Device device;
    private final Kernels kernels;

    FewRows(Device device, Kernels kernels) {
        this.device = device;
        this.kernels = kernels;
    }

    /** Whether {@link #multiply} takes so many rows. */
    boolean take(int rows, Tensor weight) {
        return device.hasWarpGroups() && weight.dtype() != DType.F32 && weight.size(1) % STEP == 0
                && rows > 0 && rows <= device.constant("linear_few_rows_90a_rows");
    }

    /** destination = x weight' + bias, or += if it adds; x is of the weights' type. */
    void multiply(Tensor destination, boolean adds, Tensor x, Tensor weight, Optional<Tensor> bias) {
        int tile = device.constant("linear_few_rows_90a_tile");
        long tiles = kernels.tiles(weight.size(0), "linear_few_rows_90a_tile");
        int blocks = Arrays.stream(BLOCKS).filter(count -> count * tiles <= MOST_BLOCKS).findFirst().orElse(1);
        device.launch(new Launch(
                "linear_few_rows_90a_%s_c%d".formatted(Kernels.name(weight.dtype()), blocks), blocks * tiles, 1, 1,
                device.constant("linear_few_rows_90a_threads"), device.constant("linear_few_rows_90a_shared"),
                List.of(destination, TensorMap.ofRows(x, device.constant("linear_few_rows_90a_rows")),
                        TensorMap.ofRows(weight, tile), bias, x.intSize(0), weight.intSize(1), weight.intSize(0),
                        adds ? 1 : 0)));
    }
}
