package headscope.analysis.statistics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.NormOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PcaTest {
    /** Compares projections onto the axes, because the sign of an axis is arbitrary. */
    @ParameterizedTest
    @CsvSource({"30, 12, 5", "12, 30, 5", "20, 20, 19", "9, 4, 1"})
    void axesAreTheLeadingSingularVectors(int samples, int features, int components) {
        float[][] training = decaying(samples, features, 1);
        DMatrixRMaj centred = Samples.minus(Samples.mean(training), training);
        DMatrixRMaj axes = Pca.fit(training, components, 1).axes().orElseThrow();
        assertClose(leading(centred, components), axes, 1e-8);
    }

    @ParameterizedTest
    @CsvSource({"300, 200, 40", "150, 400, 60", "60, 80, 50"})
    void sketchAgreesWithExactAxes(int samples, int features, int components) {
        float[][] training = decaying(samples, features, 2);
        DMatrixRMaj centred = Samples.minus(Samples.mean(training), training);
        assertClose(leading(centred, components), Pca.sketch(centred, components, 7), 1e-6);
    }

    @Test
    void scoreIsTheCoordinateAlongTheFirstAxis() {
        float[][] line = {{1, 1}, {2, 2}, {4, 4}, {5, 5}, {3, 3}};
        DMatrixRMaj scores = Pca.fit(line, 1, 1).scores(new float[][] {{3, 3}, {4, 4}, {4, 2}});
        assertEquals(0, scores.get(0, 0), 1e-12);
        assertEquals(Math.sqrt(2), Math.abs(scores.get(1, 0)), 1e-12);
        assertEquals(0, scores.get(2, 0), 1e-12);
    }

    @Test
    void dropsDirectionsWithoutVariance() {
        float[][] training = decaying(40, 3, 3);
        float[][] repeated = new float[40][];
        for (int i = 0; i < 40; i++) {
            float[] row = training[i];
            repeated[i] = new float[] {row[0], 5, row[1], row[0], 0, row[2], 2 * row[1], 1e-30f * row[2]};
        }
        assertEquals(3, Pca.fit(repeated, 6, 1).axes().orElseThrow().numCols);
        float[][] constant = {{1, 2, 3}, {1, 2, 3}, {1, 2, 3}};
        assertEquals(0, Pca.fit(constant, 2, 1).axes().orElseThrow().numCols);
    }

    /** With at least as many components as features, samples are centred but not rotated. */
    @Test
    void onlyCentresIfAllComponentsAreKept() {
        Pca pca = Pca.fit(new float[][] {{1, 10}, {3, 30}, {5, 20}}, 512, 1);
        assertTrue(pca.axes().isEmpty());
        assertArrayEquals(new double[] {-3, -20}, pca.scores(new float[][] {{0, 0}}).data);
    }

    @Test
    void spannedCoordinatesPreserveDistances() {
        float[][] samples = decaying(15, 200, 4);
        samples[3] = samples[8];
        float[][] rotated = Samples.inSpannedCoordinates(samples);
        assertEquals(13, rotated[0].length);
        for (int i = 0; i < 15; i++) {
            for (int j = 0; j < 15; j++) {
                assertEquals(distance(samples[i], samples[j]), distance(rotated[i], rotated[j]), 1e-5);
            }
        }
    }

    private static double distance(float[] a, float[] b) {
        double squares = 0;
        for (int i = 0; i < a.length; i++) {
            squares += Math.pow((double) a[i] - b[i], 2);
        }
        return Math.sqrt(squares);
    }

    private static DMatrixRMaj leading(DMatrixRMaj centred, int components) {
        SingularValueDecomposition_F64<DMatrixRMaj> svd =
                DecompositionFactory_DDRM.svd(centred.numRows, centred.numCols, false, true, true);
        assertTrue(svd.decompose(centred.copy()));
        double[] falling = svd.getSingularValues().clone();
        int[] order = IntStream.range(0, svd.numberOfSingularValues())
                .boxed()
                .sorted((i, j) -> Double.compare(falling[j], falling[i]))
                .mapToInt(Integer::intValue)
                .toArray();
        DMatrixRMaj axes = new DMatrixRMaj(centred.numCols, components);
        DMatrixRMaj v = svd.getV(null, false);
        for (int i = 0; i < components; i++) {
            CommonOps_DDRM.extract(v, 0, centred.numCols, order[i], order[i] + 1, axes, 0, i);
        }
        return axes;
    }

    private static void assertClose(DMatrixRMaj expected, DMatrixRMaj axes, double tolerance) {
        assertEquals(expected.numCols, axes.numCols);
        DMatrixRMaj difference = projection(expected);
        CommonOps_DDRM.subtractEquals(difference, projection(axes));
        assertEquals(0, NormOps_DDRM.normP2(difference), tolerance);
    }

    private static DMatrixRMaj projection(DMatrixRMaj axes) {
        return CommonOps_DDRM.multTransB(axes, axes, null);
    }

    /** Gaussian samples away from the origin; the standard deviation falls by a factor of 0.9 per feature. */
    private static float[][] decaying(int samples, int features, long seed) {
        Random random = new Random(seed);
        float[][] rows = new float[samples][features];
        for (float[] row : rows) {
            for (int i = 0; i < features; i++) {
                row[i] = (float) (3 + Math.pow(0.9, i) * random.nextGaussian());
            }
        }
        return rows;
    }
}
