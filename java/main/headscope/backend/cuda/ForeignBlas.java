package headscope.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import headscope.backend.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import jcuda.driver.JCudaDriver;

/** cuBLAS 13, which JCublas does not support, through the JDK's foreign-function interface. */
final class ForeignBlas implements Blas {
    private static final FunctionDescriptor CREATE = FunctionDescriptor.of(JAVA_INT, ADDRESS);
    private static final FunctionDescriptor OF_TWO = FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS);
    private static final FunctionDescriptor SET_WORKSPACE = FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG);
    private static final FunctionDescriptor GEMM = FunctionDescriptor.of(
            JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS,
            ADDRESS, JAVA_INT, JAVA_INT,
            ADDRESS, JAVA_INT, JAVA_INT, ADDRESS,
            ADDRESS, JAVA_INT, JAVA_INT,
            JAVA_INT, JAVA_INT);

    private static final int ALLOC_FAILED = 3; // CUBLAS_STATUS_ALLOC_FAILED

    private final Arena arena = Arena.ofShared();
    private final MemorySegment one = arena.allocateFrom(JAVA_FLOAT, 1);
    private final MemorySegment zero = arena.allocateFrom(JAVA_FLOAT, 0);
    private final Address workspace;
    private final SymbolLookup library;
    private final ForeignCall gemm;
    private final MemorySegment handle;
    private final boolean tf32;

    /** @param library must stay loaded */
    ForeignBlas(SymbolLookup library, Stream stream, boolean tf32) {
        this.library = library;
        this.gemm = ForeignCall.of(library, "cublasGemmEx", GEMM);
        this.tf32 = tf32;
        MemorySegment created = arena.allocate(ADDRESS);
        require(ForeignCall.of(library, "cublasCreate_v2", CREATE).status(created), "cublasCreate");
        this.handle = created.get(ADDRESS, 0);
        require(ForeignCall.of(library, "cublasSetStream_v2", OF_TWO).status(handle, stream.handle()),
                "cublasSetStream");
        this.workspace = Blas.workspace();
        require(ForeignCall.of(library, "cublasSetWorkspace_v2", SET_WORKSPACE)
                .status(handle, workspace.segment(0), WORKSPACE), "cublasSetWorkspace");
    }

    @Override
    public String describe() {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment version = call.allocate(JAVA_INT);
            require(ForeignCall.of(library, "cublasGetVersion_v2", OF_TWO).status(handle, version), "cublasGetVersion");
            return "cuBLAS " + Blas.dotted(version.get(JAVA_INT, 0));
        }
    }

    @Override
    public void multiply(Product product) {
        Gemm g = Gemm.of(product, tf32);
        require(gemm.status(
                handle, g.transposeFirst(), g.transposeSecond(), g.m(), g.n(), g.k(), one,
                g.first(), g.type(), g.strideFirst(),
                g.second(), g.type(), g.strideSecond(), g.beta() == 0 ? zero : one,
                g.destination(), Gemm.F32, g.strideDestination(),
                g.compute(), Gemm.ALGORITHM), product);
    }

    private static void require(int status, Object call) {
        if (status == ALLOC_FAILED) {
            throw NvidiaDriver.exhausted("cuBLAS", WORKSPACE);
        }
        if (status != 0) {
            throw new DeviceException("%s: cuBLAS status %d".formatted(call, status));
        }
    }

    @Override
    public void close() {
        ForeignCall.of(library, "cublasDestroy_v2", CREATE).status(handle);
        JCudaDriver.cuMemFree(workspace);
        arena.close();
    }
}
