package headscope.analysis.gates;

/**
 * The regulariser that pushes the gates of a mask open or closed: -lambda times the mean or the sum of
 * clamp(theta, -4, 4), with theta the logits of the gates.
 *
 * @param lambda pushes gates open if positive, closed if negative
 */
record GateRegulariser(double lambda, GatesRequest.Regulariser form) {
    private static final double CLAMP = 4;

    /** Adds the gradient with respect to theta, which is 0 beyond the clamp. */
    void addGradient(double[] gradient, double[] theta) {
        double weight = weight(theta);
        for (int i = 0; i < theta.length; i++) {
            gradient[i] -= Math.abs(theta[i]) <= CLAMP ? weight : 0;
        }
    }

    private double weight(double[] theta) {
        return switch (form) {
            case MEAN -> lambda / theta.length;
            case SUM -> lambda;
        };
    }
}
