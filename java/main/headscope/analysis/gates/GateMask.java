package headscope.analysis.gates;

import headscope.analysis.statistics.Adam;

/**
 * The gates of all heads of a model while they are fitted: gate = 1 / (1 + exp(-theta)), one theta a head, in double.
 */
final class GateMask {
    private final double[] theta;
    private final GateRegulariser regulariser;
    private final double longest;
    private final Adam adam;

    /**
     * @param start   theta [layers * heads]
     * @param longest the gradient's largest norm, a longer one is shortened to it; infinite = as it is
     */
    GateMask(float[] start, GateRegulariser regulariser, double longest) {
        this.theta = new double[start.length];
        for (int i = 0; i < start.length; i++) {
            theta[i] = start[i];
        }
        this.regulariser = regulariser;
        this.longest = longest;
        this.adam = new Adam(start.length);
    }

    /** [layers * heads]; a copy. */
    double[] theta() {
        return theta.clone();
    }

    /** What the heads' outputs are multiplied with: [layers * heads]. */
    float[] gates() {
        float[] gates = new float[theta.length];
        for (int i = 0; i < theta.length; i++) {
            gates[i] = (float) gate(theta[i]);
        }
        return gates;
    }

    static double gate(double theta) {
        return 1 / (1 + Math.exp(-theta));
    }

    /** One step downhill. @param gateGradient of the likelihood's part of the loss, by gate: [layers * heads] */
    void step(double[] gateGradient, double rate) {
        double[] gradient = gradient(gateGradient);
        shorten(gradient);
        adam.step(theta, gradient, rate);
    }

    /** Of the whole loss, by theta. */
    double[] gradient(double[] gateGradient) {
        double[] gradient = new double[theta.length];
        for (int i = 0; i < theta.length; i++) {
            double gate = gate(theta[i]);
            gradient[i] = gateGradient[i] * gate * (1 - gate);
        }
        regulariser.addGradient(gradient, theta);
        return gradient;
    }

    private void shorten(double[] gradient) {
        double squares = 0;
        for (double value : gradient) {
            squares += value * value;
        }
        double norm = Math.sqrt(squares);
        if (norm > longest) {
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] *= longest / norm;
            }
        }
    }
}
