package headscope.backend.cpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Eigenvalues of I - D^-1/2 W D^-1/2 with W = (A + A') / 2 and D = diag(W 1), by LAPACK in fp64. */
final class SymmetricLaplacian {
    /** Elements of an attention map, by query and key. */
    interface Map {
        double at(int row, int column);
    }

    private SymmetricLaplacian() {}

    /** [tokens], ascending. The row of a token without weight is that of I. */
    static double[] eigenvalues(int tokens, Map map) {
        double[] scale = new double[tokens];
        for (int i = 0; i < tokens; i++) {
            for (int j = 0; j < tokens; j++) {
                scale[i] += weight(map, i, j);
            }
            scale[i] = scale[i] > 0 ? 1 / Math.sqrt(scale[i]) : 0;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment matrix = arena.allocate((long) tokens * tokens * Double.BYTES, 64);
            for (int i = 0; i < tokens; i++) {
                for (int j = 0; j <= i; j++) {
                    double value = (i == j ? 1 : 0) - scale[i] * weight(map, i, j) * scale[j];
                    matrix.setAtIndex(JAVA_DOUBLE, (long) i * tokens + j, value);
                }
            }
            MemorySegment eigenvalues = arena.allocate((long) tokens * Double.BYTES, 64);
            OpenBlas.symmetricEigenvalues(tokens, matrix, eigenvalues);
            return eigenvalues.toArray(JAVA_DOUBLE);
        }
    }

    private static double weight(Map map, int i, int j) {
        return (map.at(i, j) + map.at(j, i)) / 2;
    }
}
