package headscope.analysis.statistics;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class AdamTest {
    private static final double EXACT = 1e-12;

    /** With a constant gradient every step has the length of the rate, up to epsilon. */
    @Test
    void stepsByTheRateIfTheGradientIsConstant() {
        double[] parameters = {5, -5, 1};
        Adam adam = new Adam(3);
        for (int i = 1; i <= 20; i++) {
            adam.step(parameters, new double[] {1e-3, -70, 0}, 0.25);
            assertEquals(5 - i * 0.25 * 1e-3 / (1e-3 + 1e-8), parameters[0], EXACT);
            assertEquals(-5 + i * 0.25 * 70 / (70 + 1e-8), parameters[1], EXACT);
            assertEquals(1, parameters[2]);
        }
    }

    /** By hand: m = 0.09 - 0.2, v = 0.000999 + 0.004. */
    @Test
    void averagesGradientsOverSteps() {
        double[] parameters = {0};
        Adam adam = new Adam(1);
        adam.step(parameters, new double[] {1}, 0.1);
        double first = -0.1 / (1 + 1e-8);
        assertEquals(first, parameters[0], EXACT);
        adam.step(parameters, new double[] {-2}, 1);
        double mean = -0.11 / (1 - 0.81);
        double square = 0.004999 / (1 - 0.998001);
        assertEquals(first - mean / (Math.sqrt(square) + 1e-8), parameters[0], EXACT);
    }
}
