package headscope.backend.cuda;

import headscope.backend.AttentionSpec;
import headscope.backend.SplitOnOutOfMemory;
import headscope.tensor.Tensor;

/** The symmetrised spectra of one layer, so many heads at once as a piece of memory holds. */
record SymmetricSpectrum(Device device, Kernels kernels, Tensor q, Tensor k, AttentionSpec spec) {
    /** Bytes of a piece, if that is enough for one head: of 4,096 tokens it takes a quarter. */
    private static final long PIECE = 256L << 20;

    /** Ascending, [heads][tokens]. */
    double[][] ofHeads() {
        return ofHeads(PIECE);
    }

    double[][] ofHeads(long piece) {
        int heads = spec.heads();
        double[][] eigenvalues = new double[heads][];
        int most = Math.clamp(piece / SymmetricMatrices.bytes(device, q.intSize(0)), 1, heads);
        for (int start = 0; start < heads; start += most) {
            int from = start;
            SplitOnOutOfMemory.run(Math.min(most, heads - start), (first, count) -> System.arraycopy(
                    ofPiece(from + first, count), 0, eigenvalues, from + first, count));
        }
        return eigenvalues;
    }

    private double[][] ofPiece(int first, int count) {
        try (SymmetricMatrices matrices = new SymmetricMatrices(device, kernels, count, q.intSize(0))) {
            kernels.attentionMaps(matrices.elements, q, k, spec, first, count);
            return matrices.laplacianEigenvalues(first);
        }
    }
}
