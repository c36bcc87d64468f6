package headscope.backend.cuda;

import headscope.backend.DeviceException;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Eigenvalues of symmetrised attention maps of one size on a device. All arrays are [count, ..]. */
final class SymmetricMatrices implements AutoCloseable {
    /** Variants of the reduction to tridiagonal form, see cuda/symmetric_reduction.cu. */
    private enum Reduction { WARP, BLOCK, PANELS }

    private final Device device;
    private final Kernels kernels;
    private final int count;
    private final int n;
    private final Kernels.Scratch memory;
    private long used;
    private final MemorySegment moments;
    private final MemorySegment defects;
    private final MemorySegment diagonal;
    private final MemorySegment offDiagonal;
    private final MemorySegment eigenvalues;

    /** fp32 [count, n, n]: input, the attention maps. */
    final MemorySegment elements;

    SymmetricMatrices(Device device, Kernels kernels, int count, int n) {
        this.device = device;
        this.kernels = kernels;
        this.count = count;
        this.n = n;
        this.memory = kernels.scratch(count * bytes(device, n));
        this.moments = take(2 * Double.BYTES);
        this.defects = take(Double.BYTES);
        this.elements = floats((long) n * n);
        this.diagonal = floats(n);
        this.offDiagonal = floats(n);
        this.eigenvalues = floats(n);
    }

    /** Device memory for one matrix and everything computed from it. */
    static long bytes(Device device, int n) {
        long floats = (long) n * n + 4L * n; // elements, diagonal, off-diagonal, eigenvalues, scales
        if (reduction(device, n) == Reduction.PANELS) {
            floats += (2L * device.constant("symmetric_reduction_panel") + 1) * n + 1; // v, w, y, tau
        }
        return 3 * Double.BYTES + floats * Float.BYTES; // moments, defect
    }

    private static Reduction reduction(Device device, int n) {
        if (n <= Kernels.WARP) {
            return Reduction.WARP;
        }
        long shared = blockShared(n) + device.constant("symmetric_block_static");
        return shared <= device.sharedMemory() ? Reduction.BLOCK : Reduction.PANELS;
    }

    private static long blockShared(int n) {
        return ((long) n * (n | 1) + 2L * n) * Float.BYTES;
    }

    /** The next part of the memory; bytes are per matrix. */
    private MemorySegment take(long bytes) {
        MemorySegment part = memory.memory().asSlice(used, count * bytes);
        used += count * bytes;
        return part;
    }

    private MemorySegment floats(long perMatrix) {
        return take(perMatrix * Float.BYTES);
    }

    /**
     * Eigenvalues of the symmetrised normalised Laplacians, ascending, [count][n]. Overwrites the maps.
     *
     * @param firstHead index of the first matrix's head, for the message
     * @throws DeviceException if a matrix and its eigenvalues differ in trace or Frobenius norm by more than rounding
     */
    double[][] laplacianEigenvalues(int firstHead) {
        laplacian();
        switch (reduction(device, n)) {
            case WARP -> device.launch(Launch.flat(
                    "symmetric_warp_f32", kernels.tiles(count, "symmetric_reduction_warps"), 1, reductionThreads(),
                    diagonal, offDiagonal, elements, count, n));
            case BLOCK -> device.launch(new Launch(
                    "symmetric_block_f32", count, 1, 1, reductionThreads(), Math.toIntExact(blockShared(n)),
                    List.of(diagonal, offDiagonal, elements, n)));
            case PANELS -> panels();
        }
        int threads = device.constant("symmetric_eigenvalues_threads");
        device.launch(Launch.flat(
                "symmetric_eigenvalues_f32", kernels.tiles(n, "symmetric_eigenvalues_threads"), count, threads,
                eigenvalues, diagonal, offDiagonal, n));
        device.launch(Launch.flat("symmetric_check_f32", count, 1, threads, defects, eigenvalues, moments, n));
        requireSmallDefects(firstHead);
        return downloaded();
    }

    private void laplacian() {
        int threads = device.constant("symmetric_laplacian_threads");
        long tiles = kernels.tiles(n, "symmetric_laplacian_tile");
        MemorySegment scales = floats(n);
        device.launch(Launch.flat(
                "symmetric_scales_f32", n, count, kernels.fitting("symmetric_laplacian_threads", n),
                scales, elements, n));
        device.launch(Launch.flat(
                "symmetric_laplacian_f32", tiles * (tiles + 1) / 2, count, threads, elements, scales, n));
        device.launch(Launch.flat("symmetric_moments_f32", count, 1, threads, moments, elements, n));
    }

    private int reductionThreads() {
        return device.constant("symmetric_reduction_threads");
    }

    private void panels() {
        int threads = reductionThreads();
        int panel = device.constant("symmetric_reduction_panel");
        MemorySegment v = floats((long) panel * n);
        MemorySegment w = floats((long) panel * n);
        MemorySegment y = floats(n);
        MemorySegment tau = floats(1);
        for (int k = 0; k < n; k++) {
            int before = k % panel;
            int after = n - k - 1;
            device.launch(Launch.flat(
                    "symmetric_reflect_f32", count, 1, threads, diagonal, offDiagonal, tau, v, w, elements, n, k, before));
            if (after > 0) {
                device.launch(Launch.flat(
                        "symmetric_multiply_f32", kernels.tiles(after, "symmetric_reduction_warps"), count, threads,
                        y, v, elements, n, k, before));
                device.launch(Launch.flat(
                        "symmetric_correct_f32", count, 1, threads, w, y, tau, v, n, k, before));
            }
            if (after > 0 && before == panel - 1) {
                long tiles = kernels.tiles(after, "symmetric_reduction_tile");
                device.launch(Launch.flat(
                        "symmetric_update_f32", tiles * tiles, count, threads, elements, v, w, n, k + 1, panel));
            }
        }
    }

    private void requireSmallDefects(int firstHead) {
        double[] values = new double[count];
        device.download(MemorySegment.ofArray(values), defects);
        for (int i = 0; i < count; i++) {
            if (!(values[i] <= tolerance())) {
                throw new DeviceException(("symmetricSpectrum: head %d, %d tokens: the eigenvalues differ from the matrix's trace"
                        + " or Frobenius norm by %.3g each; rounding explains %.3g")
                                .formatted(firstHead + i, n, values[i], tolerance()));
            }
        }
    }

    /** Rounding error of reflections and bisection in fp32, relative to the norm, which is at most 2. */
    private double tolerance() {
        return 2 * (n + 24) * 0x1p-24;
    }

    private double[][] downloaded() {
        float[] values = new float[count * n];
        device.download(MemorySegment.ofArray(values), eigenvalues);
        double[][] ofMatrices = new double[count][n];
        for (int i = 0; i < values.length; i++) {
            ofMatrices[i / n][i % n] = values[i];
        }
        return ofMatrices;
    }

    @Override
    public void close() {
        memory.close();
    }
}
