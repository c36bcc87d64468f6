package headscope.backend.cuda;

import java.lang.foreign.MemorySegment;

/**
 * Arguments of cublasGemmEx for a product. cuBLAS is column-major, so our rows are its columns: it computes
 * destination' = b' a', with the operands swapped and neither of them transposed.
 *
 * @param m      columns of our destination; n its rows
 * @param beta   factor of the destination's earlier elements
 * @param first  our b; second our a
 * @param strideFirst elements from row to row (cuBLAS: leading dimension), as strideSecond
 */
record Gemm(
        int transposeFirst, int transposeSecond, int m, int n, int k,
        MemorySegment first, int strideFirst, MemorySegment second, int strideSecond, int type,
        float beta, MemorySegment destination, int compute) {
    static final int F32 = 0; // CUDA_R_32F
    static final int ALGORITHM = -1; // CUBLAS_GEMM_DEFAULT
    private static final int F16 = 2; // CUDA_R_16F
    private static final int BF16 = 14; // CUDA_R_16BF
    private static final int COMPUTE_F32 = 68; // CUBLAS_COMPUTE_32F
    private static final int COMPUTE_TF32 = 77; // CUBLAS_COMPUTE_32F_FAST_TF32

    /** @param tf32 multiply fp32 operands in TF32 */
    static Gemm of(Product product, boolean tf32) {
        int type = switch (product.a().dtype()) {
            case F32 -> F32;
            case F16 -> F16;
            case BF16 -> BF16;
            default -> throw new IllegalArgumentException("no products of " + product.a().dtype());
        };
        return new Gemm(
                product.bTransposed() ? 1 : 0, product.aTransposed() ? 1 : 0, product.n(), product.m(), product.k(),
                product.b().bytes(), product.b().intSize(1), product.a().bytes(), product.a().intSize(1), type,
                product.adds() ? 1 : 0, product.destination().bytes(), tf32 && type == F32 ? COMPUTE_TF32 : COMPUTE_F32);
    }

    /** Elements from row to row of the destination. */
    int strideDestination() {
        return m;
    }
}
