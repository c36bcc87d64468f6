package headscope.analysis.gates;

import headscope.analysis.statistics.Adam;

/** The gates of all heads while they are fitted: gate = 1 / (1 + exp(-theta)), one theta per head, in fp64. */
final class GateMask {
    private final double[] theta;
    private final GateRegulariser regulariser;
    private final double clipNorm;
    private final Adam adam;

    /**
     * @param start    initial theta, [layers * heads]
     * @param clipNorm maximum norm of the gradient, which is scaled down to it; infinite = no clipping
     */
    GateMask(float[] start, GateRegulariser regulariser, double clipNorm) {
        this.theta = new double[start.length];
        for (int i = 0; i < start.length; i++) {
            theta[i] = start[i];
        }
        this.regulariser = regulariser;
        this.clipNorm = clipNorm;
        this.adam = new Adam(start.length);
    }

    /** [layers * heads]; a copy. */
    double[] theta() {
        return theta.clone();
    }

    /** The factors on the outputs of heads, [layers * heads]. */
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

    /** One step of Adam. @param gateGradient of the nll with respect to the gates, [layers * heads] */
    void step(double[] gateGradient, double rate) {
        double[] gradient = gradient(gateGradient);
        clip(gradient);
        adam.step(theta, gradient, rate);
    }

    /** Gradient of nll plus regulariser with respect to theta. */
    double[] gradient(double[] gateGradient) {
        double[] gradient = new double[theta.length];
        for (int i = 0; i < theta.length; i++) {
            double gate = gate(theta[i]);
            gradient[i] = gateGradient[i] * gate * (1 - gate);
        }
        regulariser.addGradient(gradient, theta);
        return gradient;
    }

    private void clip(double[] gradient) {
        double squares = 0;
        for (double value : gradient) {
            squares += value * value;
        }
        double norm = Math.sqrt(squares);
        if (norm > clipNorm) {
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] *= clipNorm / norm;
            }
        }
    }
}
