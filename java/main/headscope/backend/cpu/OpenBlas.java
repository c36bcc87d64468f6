package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import headscope.backend.DeviceException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Set;
import org.bytedeco.javacpp.Loader;

/**
 * Bindings to OpenBLAS from the JavaCPP preset. OpenBLAS runs single-threaded, because its own threading is slow on
 * small products; {@link Workers} run it in parallel.
 */
@SuppressWarnings("restricted")
final class OpenBlas {
    private static final int ROW_MAJOR = 101;
    private static final int NOT_TRANSPOSED = 111;
    private static final int TRANSPOSED = 112;

    private static final SymbolLookup LIBRARY = load();
    private static final MethodHandle SGEMM = bind(
            "cblas_sgemm",
            FunctionDescriptor.ofVoid(
                    JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_FLOAT,
                    ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, JAVA_FLOAT, ADDRESS, JAVA_INT));
    private static final MethodHandle SGEMV = bind(
            "cblas_sgemv",
            FunctionDescriptor.ofVoid(
                    JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_FLOAT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT,
                    JAVA_FLOAT, ADDRESS, JAVA_INT));
    private static final MethodHandle DSYEVD = bind(
            "LAPACKE_dsyevd",
            FunctionDescriptor.of(
                    JAVA_INT, JAVA_INT, JAVA_BYTE, JAVA_BYTE, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS));

    /** Whether OpenBLAS has kernels of their own for small matrices on this processor. */
    static final boolean HAS_SMALL_KERNELS = Set.of("SkylakeX", "Cooperlake", "SapphireRapids").contains(core());

    private OpenBlas() {}

    /**
     * c [m, n] = alpha * a b + beta * c with a [m, k] and b [k, n]; c is not transposed and may hold NaN if beta is 0.
     */
    static void multiply(int m, int n, int k, float alpha, Matrix a, Matrix b, float beta, Matrix c) {
        try {
            SGEMM.invokeExact(
                    ROW_MAJOR, order(a), order(b), m, n, k, alpha, a.start(), a.stride(), b.start(), b.stride(), beta,
                    c.start(), c.stride());
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    /** y = alpha * a x for the stored matrix a [m, n], or for its transpose if a is transposed; x and y are contiguous. */
    static void multiplyVector(int m, int n, float alpha, Matrix a, Matrix x, Matrix y) {
        try {
            SGEMV.invokeExact(ROW_MAJOR, order(a), m, n, alpha, a.start(), a.stride(), x.start(), 1, 0f, y.start(), 1);
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    private static int order(Matrix matrix) {
        return matrix.transposed() ? TRANSPOSED : NOT_TRANSPOSED;
    }

    /**
     * Eigenvalues of a symmetric fp64 matrix [n, n]. Only the lower triangle is read; the matrix is overwritten.
     *
     * @param eigenvalues [n], fp64, ascending
     */
    static void symmetricEigenvalues(int n, MemorySegment matrix, MemorySegment eigenvalues) {
        int status;
        try {
            status = (int) DSYEVD.invokeExact(ROW_MAJOR, (byte) 'N', (byte) 'L', n, matrix, n, eigenvalues);
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
        if (status != 0) {
            throw new DeviceException(
                    "LAPACK dsyevd returned %d for a %d x %d matrix".formatted(status, n, n));
        }
    }

    /** Name of the kernels that OpenBLAS selected for this processor, such as "SkylakeX". */
    static String core() {
        MethodHandle name = bind("openblas_get_corename", FunctionDescriptor.of(text()));
        try {
            return ((MemorySegment) name.invokeExact()).getString(0);
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    private static AddressLayout text() {
        return ADDRESS.withTargetLayout(MemoryLayout.sequenceLayout(256, JAVA_BYTE));
    }

    private static SymbolLookup load() {
        String folder = "/org/bytedeco/openblas/" + Loader.getPlatform() + "/";
        try {
            for (String needed : new String[] {"libgcc_s.so.1", "libquadmath.so.0", "libgfortran.so.5"}) {
                Loader.cacheResource(folder + needed);
            }
            Path library = Loader.cacheResource(folder + "libopenblas.so.0").toPath();
            SymbolLookup symbols = SymbolLookup.libraryLookup(library, Arena.global());
            Linker.nativeLinker()
                    .downcallHandle(
                            symbols.findOrThrow("openblas_set_num_threads"),
                            FunctionDescriptor.ofVoid(JAVA_INT))
                    .invokeExact(1);
            return symbols;
        } catch (IOException failure) {
            throw new UncheckedIOException("OpenBLAS cannot be unpacked", failure);
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    private static MethodHandle bind(String name, FunctionDescriptor signature) {
        return Linker.nativeLinker().downcallHandle(LIBRARY.findOrThrow(name), signature);
    }
}
