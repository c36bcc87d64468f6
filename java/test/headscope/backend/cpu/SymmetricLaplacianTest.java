package headscope.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import headscope.StatisticsFile;
import headscope.Tolerance;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Spectra of known graphs, and of SciPy. */
class SymmetricLaplacianTest {
    private static void check(int tokens, SymmetricLaplacian.Map map, IntToDoubleFunction expected) {
        double[] eigenvalues = SymmetricLaplacian.eigenvalues(tokens, map);
        assertEquals(tokens, eigenvalues.length);
        double[] wanted = new double[tokens];
        Arrays.setAll(wanted, expected);
        Arrays.sort(wanted);
        // The solver is backward stable, and the matrix has a norm of at most 2.
        double tolerance = 4 * 2 * Tolerance.fp64(tokens);
        for (int i = 0; i < tokens; i++) {
            assertEquals(wanted[i], eigenvalues[i], tolerance, "eigenvalue " + i + " of " + tokens);
        }
    }

    @TestFactory
    List<DynamicTest> fixture() {
        return StatisticsFile.cases("symmetric_normalised_laplacian", one -> {
            JsonNode map = one.get("attention");
            double[] expected = StatisticsFile.doubles(one.get("eigenvalues"));
            check(map.size(), (row, column) -> map.get(row).get(column).asDouble(), i -> expected[i]);
        });
    }

    /** Each token attends to the one before it, the first to none: mu_k = 1 - cos(pi k / (T - 1)). */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 17, 64, 129})
    void path(int tokens) {
        check(tokens, (row, column) -> row == column + 1 ? 1 : 0, k -> 1 - Math.cos(Math.PI * k / (tokens - 1)));
    }

    /** Neither the direction of edges nor a common factor changes the spectrum. */
    @Test
    void reversedPath() {
        check(9, (row, column) -> column == row + 1 ? 0.01 : 0, k -> 1 - Math.cos(Math.PI * k / 8));
    }

    /** mu_k = 1 - cos(2 pi k / T). */
    @ParameterizedTest
    @ValueSource(ints = {3, 17, 64})
    void ring(int tokens) {
        check(tokens, (row, column) -> row == (column + 1) % tokens ? 1 : 0,
                k -> 1 - Math.cos(2 * Math.PI * k / tokens));
    }

    /** Each token attends uniformly to all others: mu = 0, T / (T - 1). */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 17, 64})
    void complete(int tokens) {
        check(tokens, (row, column) -> row == column ? 0 : 1.0 / (tokens - 1),
                k -> k == 0 ? 0 : tokens / (tokens - 1.0));
    }

    /** Two disconnected halves: the eigenvalue 0 twice. */
    @Test
    void twoComponents() {
        check(8, (row, column) -> row / 4 == column / 4 ? 0.25 : 0, k -> k < 2 ? 0 : 1);
    }

    /** The row of an isolated token is that of I. */
    @Test
    void tokenWithoutWeight() {
        check(3, (row, column) -> row == 1 && column == 0 ? 1 : 0, k -> new double[] {0, 2, 1}[k]);
        check(1, (row, column) -> 0, k -> 1);
    }
}
