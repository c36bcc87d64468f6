package headscope.analysis.statistics;

/**
 * Gradient descent by Adam (Kingma and Ba 2015) on a few numbers, in double: each is moved by the rate times the running
 * mean of its gradient over the root of that of its square. Constants as published.
 */
public final class Adam {
    private static final double BETA_1 = 0.9;
    private static final double BETA_2 = 0.999;
    private static final double EPSILON = 1e-8;

    private final double[] mean;
    private final double[] square;
    private int steps;

    public Adam(int parameters) {
        this.mean = new double[parameters];
        this.square = new double[parameters];
    }

    /** Changes parameters in place. */
    public void step(double[] parameters, double[] gradient, double rate) {
        steps++;
        // both running means start at 0
        double meanScale = 1 / (1 - Math.pow(BETA_1, steps));
        double squareScale = 1 / (1 - Math.pow(BETA_2, steps));
        for (int i = 0; i < parameters.length; i++) {
            mean[i] = BETA_1 * mean[i] + (1 - BETA_1) * gradient[i];
            square[i] = BETA_2 * square[i] + (1 - BETA_2) * gradient[i] * gradient[i];
            parameters[i] -= rate * (mean[i] * meanScale) / (Math.sqrt(square[i] * squareScale) + EPSILON);
        }
    }
}
