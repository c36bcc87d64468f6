package headscope.backend.cuda;

import headscope.backend.DeviceException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Eigenvalues of symmetrised attention maps of one size on a device. All arrays are [count, ..]. */
final class SymmetricMatrices implements AutoCloseable {
    /** Maximum tokens of the kernels of cuda/symmetric_reduction.cu; larger maps are reduced to a band first. */
    private static final int[] REGISTER_ROWS = {32, 64, 128, 192};

    /**
     * Widths of bands for which kernels are compiled, best first. A wide band takes fewer passes over the matrix, a narrow one
     * fits into shared memory for more tokens.
     */
    private static final int[] BAND_WIDTHS = {32, 16};

    private final Device device;
    private final Kernels kernels;
    private final int count;
    private final int n;
    private final Kernels.Scratch memory;
    private long used;
    private final Optional<Panels> panels;
    private final MemorySegment moments;
    private final MemorySegment defects;
    private final MemorySegment eigenvalues;

    /** fp32 [count, n, n]: input, the attention maps. */
    final MemorySegment elements;

    SymmetricMatrices(Device device, Kernels kernels, int count, int n) {
        this.device = device;
        this.kernels = kernels;
        this.count = count;
        this.n = n;
        this.memory = kernels.scratch(count * bytes(device, n));
        this.panels = fitsRegisters(n) ? Optional.empty() : Optional.of(new Panels()); // first, for its alignment
        this.moments = take(2 * Double.BYTES);
        this.defects = take(Double.BYTES);
        take(Double.BYTES); // padding: the elements are aligned to 16 bytes
        this.elements = floats((long) n * n);
        this.eigenvalues = floats(n);
    }

    /** Scratch memory of the reduction to a band, see cuda/symmetric_band.cu. */
    private final class Panels {
        private final int width = bandWidth(device, n);
        private final MemorySegment v = floats((long) width * n);
        private final MemorySegment x = floats((long) width * n);
        private final MemorySegment w = floats((long) width * n);
        private final MemorySegment t = floats((long) width * width);
        private final Optional<MemorySegment> band =
                isBandShared(device, n, width) ? Optional.empty() : Optional.of(floats(2L * width * n));
    }

    /** Device memory for one matrix and everything computed from it. */
    static long bytes(Device device, int n) {
        long floats = (long) n * n + n; // elements, eigenvalues
        if (!fitsRegisters(n)) {
            int width = bandWidth(device, n);
            floats += 3L * (width + 1) * n + width * width; // v, x, w, t, scales, diagonal, off-diagonal
            floats += isBandShared(device, n, width) ? 0 : 2L * width * n;
        }
        return 4 * Double.BYTES + floats * Float.BYTES; // moments, defect, padding
    }

    private static boolean fitsRegisters(int n) {
        return n <= REGISTER_ROWS[REGISTER_ROWS.length - 1];
    }

    /** The widest band that fits into shared memory. */
    private static int bandWidth(Device device, int n) {
        return Arrays.stream(BAND_WIDTHS).filter(width -> isBandShared(device, n, width)).findFirst()
                .orElse(BAND_WIDTHS[0]);
    }

    private static boolean isBandShared(Device device, int n, int width) {
        return bandBytes(n, width) + device.constant("symmetric_chase_static") <= device.sharedMemory();
    }

    private static long bandBytes(int n, int width) {
        return 2L * width * n * Float.BYTES;
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
        panels.ifPresentOrElse(this::byBand, this::inRegisters);
        requireSmallDefects(firstHead);
        return downloaded();
    }

    private void laplacian() {
        int threads = device.constant("symmetric_laplacian_threads");
        long tiles = kernels.tiles(n, "symmetric_laplacian_tile");
        MemorySegment scales = floats(n);
        device.launch(Launch.flat("symmetric_scales_f32", tiles, count, threads, scales, elements, n));
        device.launch(Launch.flat(
                "symmetric_laplacian_f32", tiles * (tiles + 1) / 2, count, threads, elements, scales, n));
        device.launch(Launch.flat("symmetric_moments_f32", count, 1, threads, moments, elements, n));
    }

    private void inRegisters() {
        int rows = Arrays.stream(REGISTER_ROWS).filter(most -> n <= most).findFirst().orElseThrow();
        launch("rows", rows, count, 1, 0, eigenvalues, defects, moments, elements, n);
    }

    private void byBand(Panels panels) {
        laplacian();
        int width = panels.width;
        for (int k = 0; n - k - width >= 2; k += width) {
            int rows = n - k - width;
            launch("panel", width, count, 1, 2 * Math.ceilDiv(rows, Kernels.WARP) * Kernels.WARP * Float.BYTES,
                    panels.v, panels.t, elements, n, k);
            launch("multiply", width, kernels.tiles(rows, "symmetric_multiply_rows"), count, 0,
                    panels.x, panels.v, elements, n, k);
            launch("correct", width, count, 1, 0, panels.w, panels.x, panels.v, panels.t, n, k);
            long tiles = kernels.tiles(rows, "symmetric_update_tile");
            launch("update", width, tiles * (tiles + 1) / 2, count, 0, elements, panels.v, panels.w, n, k);
        }
        MemorySegment diagonal = floats(n);
        MemorySegment offDiagonal = floats(n);
        launch("chase", width, count, 1, panels.band.isPresent() ? 0 : Math.toIntExact(bandBytes(n, width)),
                diagonal, offDiagonal, panels.band, elements, n);
        int threads = device.constant("symmetric_eigenvalues_threads");
        device.launch(new Launch(
                "symmetric_eigenvalues_f32", kernels.tiles(n, "symmetric_eigenvalues_block"), count, 1, threads,
                Math.ceilDiv(n, 2) * 4 * Float.BYTES, List.of(eigenvalues, diagonal, offDiagonal, n)));
        device.launch(Launch.flat("symmetric_check_f32", count, 1, threads, defects, eigenvalues, moments, n));
    }

    /** Launches the kernel for this number of rows, or width of the band. */
    private void launch(String part, int size, long gridX, long gridY, int shared, Object... arguments) {
        String kernel = "symmetric_%s%d_f32".formatted(part, size);
        device.launch(new Launch(
                kernel, gridX, gridY, 1, device.constant(kernel + "_threads"), shared, List.of(arguments)));
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
