package headscope.analysis.gates;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.Seed;
import headscope.Tolerance;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GateMaskTest {
    private static final double UNCLIPPED = Double.POSITIVE_INFINITY;
    private static final double STEP = 1e-5;

    /** The loss is sum_i slope_i gate_i plus the penalty, in double precision. */
    @ParameterizedTest
    @EnumSource(GatesRequest.Regulariser.class)
    void gradientMatchesCentralDifferences(GatesRequest.Regulariser form) {
        Random random = Seed.random("mask");
        GateRegulariser regulariser = new GateRegulariser(0.3, form);
        float[] theta = new float[24];
        double[] slopes = new double[24];
        for (int i = 0; i < theta.length; i++) {
            theta[i] = (float) (4 * random.nextGaussian());
            slopes[i] = random.nextGaussian();
        }
        theta[0] = 4.5f;
        theta[1] = -4.5f;
        double[] gradient = new GateMask(theta, regulariser, UNCLIPPED).gradient(slopes);
        for (int i = 0; i < theta.length; i++) {
            double[] above = shifted(theta, i, STEP);
            double[] below = shifted(theta, i, -STEP);
            double difference = (loss(above, slopes, regulariser) - loss(below, slopes, regulariser)) / (2 * STEP);
            assertEquals(difference, gradient[i], 1e-8, "head " + i);
        }
    }

    private static double[] shifted(float[] theta, int at, double by) {
        double[] shifted = new double[theta.length];
        for (int i = 0; i < theta.length; i++) {
            shifted[i] = theta[i] + (i == at ? by : 0);
        }
        return shifted;
    }

    private static double loss(double[] theta, double[] slopes, GateRegulariser regulariser) {
        double loss = penalty(theta, regulariser);
        for (int i = 0; i < theta.length; i++) {
            loss += slopes[i] * GateMask.gate(theta[i]);
        }
        return loss;
    }

    /** -lambda times the mean or the sum of clamp(theta, -4, 4). */
    private static double penalty(double[] theta, GateRegulariser regulariser) {
        double sum = Arrays.stream(theta).map(value -> Math.clamp(value, -4, 4)).sum();
        return -regulariser.lambda() * switch (regulariser.form()) {
            case MEAN -> sum / theta.length;
            case SUM -> sum;
        };
    }

    /** Two of four heads are beyond the clamp: their gradient is 0. */
    @Test
    void regulariserHasNoGradientBeyondTheClamp() {
        double[] theta = {1, -2, 9, -9};
        GateRegulariser mean = new GateRegulariser(0.1, GatesRequest.Regulariser.MEAN);
        GateRegulariser sum = new GateRegulariser(-0.1, GatesRequest.Regulariser.SUM);
        double[] gradient = new double[4];
        mean.addGradient(gradient, theta);
        assertArrayEquals(new double[] {-0.025, -0.025, 0, 0}, gradient, Tolerance.fp64(4));
        sum.addGradient(gradient, theta);
        assertArrayEquals(new double[] {0.075, 0.075, 0, 0}, gradient, Tolerance.fp64(4));
    }

    /** d gate / d theta is 1/4 at theta = 0, so that the second step has a gradient of norm 5, clipped to 1. */
    @Test
    void clipsTheNormOfTheGradient() {
        GateRegulariser none = new GateRegulariser(0, GatesRequest.Regulariser.MEAN);
        GateMask clipped = new GateMask(new float[2], none, 1);
        GateMask scaled = new GateMask(new float[2], none, UNCLIPPED);
        clipped.step(new double[] {1, 1}, 1e-9);
        scaled.step(new double[] {1, 1}, 1e-9);
        clipped.step(new double[] {12, 16}, 0.5);
        scaled.step(new double[] {2.4, 3.2}, 0.5);
        assertArrayEquals(scaled.theta(), clipped.theta(), 1e-9);
    }

    @Test
    void gatesAreTheLogisticFunctionOfTheta() {
        float[] gates = new GateMask(
                new float[] {0, (float) Math.log(3), -800, 800},
                new GateRegulariser(0, GatesRequest.Regulariser.MEAN), UNCLIPPED).gates();
        assertArrayEquals(new float[] {0.5f, 0.75f, 0, 1}, gates, 1e-7f);
    }
}
