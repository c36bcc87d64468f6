package headscope.backend.cuda;

import static jcuda.jcublas.cublasStatus.CUBLAS_STATUS_ALLOC_FAILED;
import static jcuda.jcublas.cublasStatus.CUBLAS_STATUS_SUCCESS;

import headscope.backend.DeviceException;
import jcuda.Pointer;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;

/** cuBLAS 12 through JCublas. */
final class JCublasBlas implements Blas {
    private static final Pointer ONE = Pointer.to(new float[] {1});
    private static final Pointer ZERO = Pointer.to(new float[] {0});

    private final cublasHandle handle = new cublasHandle();
    private final Address workspace;
    private final boolean tf32;

    /** @throws LinkageError if libcublas.so.12 is not found */
    JCublasBlas(Stream stream, boolean tf32) {
        this.tf32 = tf32;
        NvidiaDriver.load("JCublas2");
        require(JCublas2.cublasCreate(handle), "cublasCreate");
        require(JCublas2.cublasSetStream(handle, new cudaStream_t(stream)), "cublasSetStream");
        this.workspace = Blas.workspace();
        require(JCublas2.cublasSetWorkspace(handle, workspace, WORKSPACE), "cublasSetWorkspace");
    }

    @Override
    public String describe() {
        int[] version = new int[1];
        require(JCublas2.cublasGetVersion(handle, version), "cublasGetVersion");
        return "cuBLAS " + Blas.dotted(version[0]);
    }

    @Override
    public void multiply(Product product) {
        Gemm gemm = Gemm.of(product, tf32);
        require(JCublas2.cublasGemmEx_new(
                handle, gemm.transposeFirst(), gemm.transposeSecond(), gemm.m(), gemm.n(), gemm.k(), ONE,
                new Address(gemm.first()), gemm.type(), gemm.strideFirst(),
                new Address(gemm.second()), gemm.type(), gemm.strideSecond(), gemm.beta() == 0 ? ZERO : ONE,
                new Address(gemm.destination()), Gemm.F32, gemm.strideDestination(),
                gemm.compute(), Gemm.ALGORITHM), product);
    }

    private static void require(int status, Object call) {
        if (status == CUBLAS_STATUS_ALLOC_FAILED) {
            throw NvidiaDriver.exhausted("cuBLAS", WORKSPACE);
        }
        if (status != CUBLAS_STATUS_SUCCESS) {
            throw new DeviceException(call + ": " + cublasStatus.stringFor(status));
        }
    }

    @Override
    public void close() {
        JCublas2.cublasDestroy(handle);
        JCudaDriver.cuMemFree(workspace);
    }
}
