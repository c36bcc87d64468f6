package headscope.analysis.statistics;

/**
 * The Adam optimiser (Kingma and Ba 2015, algorithm 1) for few parameters, in fp64, with the published constants.
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

    /** One step, in place. */
    public void step(double[] parameters, double[] gradient, double rate) {
        steps++;
        // corrects the bias of running means that start at 0
        double meanScale = 1 / (1 - Math.pow(BETA_1, steps));
        double squareScale = 1 / (1 - Math.pow(BETA_2, steps));
        for (int i = 0; i < parameters.length; i++) {
            mean[i] = BETA_1 * mean[i] + (1 - BETA_1) * gradient[i];
            square[i] = BETA_2 * square[i] + (1 - BETA_2) * gradient[i] * gradient[i];
            parameters[i] -= rate * (mean[i] * meanScale) / (Math.sqrt(square[i] * squareScale) + EPSILON);
        }
    }
}
