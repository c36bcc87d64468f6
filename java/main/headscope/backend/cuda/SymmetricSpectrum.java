package headscope.backend.cuda;

import headscope.backend.AttentionSpec;
import headscope.backend.SplitOnOutOfMemory;
import headscope.tensor.Tensor;

/** Symmetrised spectra of one layer, in batches of heads that fit into a fixed amount of memory. */
record SymmetricSpectrum(Device device, Kernels kernels, Tensor q, Tensor k, AttentionSpec spec) {
    /** Maximum bytes per batch, unless one head needs more. 128 heads of 1,024 tokens need 0.5 of it. */
    private static final long BATCH_BYTES = 1L << 30;

    /** Ascending, [heads][tokens]. */
    double[][] ofHeads() {
        return ofHeads(BATCH_BYTES);
    }

    double[][] ofHeads(long batchBytes) {
        int heads = spec.heads();
        double[][] eigenvalues = new double[heads][];
        int most = Math.clamp(batchBytes / SymmetricMatrices.bytes(device, q.intSize(0)), 1, heads);
        int batch = Math.ceilDiv(heads, Math.ceilDiv(heads, most)); // of the same size, as far as possible
        for (int start = 0; start < heads; start += batch) {
            int from = start;
            SplitOnOutOfMemory.run(Math.min(batch, heads - start), (first, count) -> System.arraycopy(
                    eigenvalues(from + first, count), 0, eigenvalues, from + first, count));
        }
        return eigenvalues;
    }

    private double[][] eigenvalues(int first, int count) {
        try (SymmetricMatrices matrices = new SymmetricMatrices(device, kernels, count, q.intSize(0))) {
            kernels.attentionMaps(matrices.elements, q, k, spec, first, count);
            return matrices.laplacianEigenvalues(first);
        }
    }
}
