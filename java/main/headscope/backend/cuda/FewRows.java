package headscope.backend.cuda;

import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * Products of few rows with 16-bit weights on Hopper, such as those of decoded tokens: linear_few_rows_90a.cu. It takes products of
 * many terms and few columns, which cuBLAS divides into parts that a second kernel adds.
 */
final class FewRows {
    /** So that each block of a cluster has two steps of 64 terms. */
    private static final int LEAST_TERMS = 1024;

    /** Two for each of the 132 multiprocessors of an H100; its parts of 16 or 18 hold four clusters of eight. */
    private static final int MOST_BLOCKS = 256;

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
                && weight.size(1) >= LEAST_TERMS && blocks(weight) <= MOST_BLOCKS
                && rows > 0 && rows <= device.constant("linear_few_rows_90a_rows");
    }

    private long blocks(Tensor weight) {
        return kernels.tiles(weight.size(0), "linear_few_rows_90a_tile") * device.constant("linear_few_rows_90a_blocks");
    }

    /**
     * destination = x weight' + bias, or += if it adds; x is of the weights' type. The launch before this one must not write the
     * weights.
     */
    void multiply(Tensor destination, boolean adds, Tensor x, Tensor weight, Optional<Tensor> bias) {
        device.launch(new Launch(
                "linear_few_rows_90a_" + Kernels.name(weight.dtype()), blocks(weight), 1, 1,
                device.constant("linear_few_rows_90a_threads"), device.constant("linear_few_rows_90a_shared"),
                List.of(destination, TensorMap.ofRows(x, device.constant("linear_few_rows_90a_rows")),
                        TensorMap.ofRows(weight, device.constant("linear_few_rows_90a_tile")), bias,
                        x.intSize(0), weight.intSize(1), weight.intSize(0), adds ? 1 : 0)));
    }
}
