package headscope.backend.cuda;

import static jcuda.driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY;

import headscope.backend.DeviceMemoryException;
import java.util.Optional;
import jcuda.driver.JCudaDriver;

/** The cuBLAS operations in use, for every supported version. Accumulates in fp32. */
interface Blas extends AutoCloseable {
    /**
     * Bytes of workspace, NVIDIA's recommendation for Hopper. With a workspace that it is given, cuBLAS allocates none while a
     * stream is captured.
     */
    long WORKSPACE = 32 << 20;

    /** @throws DeviceMemoryException if there is not enough memory */
    static Address workspace() {
        Address workspace = new Address();
        int status = JCudaDriver.cuMemAlloc(workspace, WORKSPACE);
        if (status == CUDA_ERROR_OUT_OF_MEMORY) {
            throw NvidiaDriver.exhausted("cuBLAS", WORKSPACE);
        }
        NvidiaDriver.require(status, "cuBLAS workspace of %d bytes", WORKSPACE);
        return workspace;
    }

    /** For example "cuBLAS 12.6.4". */
    String describe();

    void multiply(Product product);

    @Override
    void close();

    /**
     * Opens the first library that works: in the folder HEADSCOPE_CUBLAS, then cuBLAS 12 (through JCublas), then 13.
     *
     * @param stream on which products run
     * @throws DeviceMemoryException if a library works, but there is not enough memory to start it
     */
    static Optional<Blas> find(Stream stream, boolean tf32) {
        for (CublasLibrary library : CublasLibrary.candidates()) {
            Optional<Blas> opened = library.open(stream, tf32);
            if (opened.isPresent()) {
                return opened;
            }
        }
        return Optional.empty();
    }

    /** 120604 becomes 12.6.4, 130000 becomes 13.0.0. */
    static String dotted(int version) {
        return version / 10_000 + "." + version / 100 % 100 + "." + version % 100;
    }
}
