package headscope.analysis.functions;


import headscope.backend.Backend;
import headscope.tensor.Tensor;

/** The probe computed from its formula, in double precision. */
final class PlainProbe {
    private final FunctionProbe.Sizes sizes;
    final double[][] parameters;

    private PlainProbe(FunctionProbe.Sizes sizes, double[][] parameters) {
        this.sizes = sizes;
        this.parameters = parameters;
    }

    /** Copies the current parameters of a probe. */
    static PlainProbe of(Backend backend, FunctionProbe probe, FunctionProbe.Sizes sizes) {
        Tensor[] tensors = {
            probe.project().weight(), probe.project().bias(), probe.hide().weight(), probe.hide().bias(),
            probe.decide().weight(), probe.decide().bias()
        };
        double[][] parameters = new double[tensors.length][];
        for (int i = 0; i < tensors.length; i++) {
            float[] values = backend.download(tensors[i]);
            parameters[i] = new double[values.length];
            for (int j = 0; j < values.length; j++) {
                parameters[i][j] = values[j];
            }
        }
        return new PlainProbe(sizes, parameters);
    }

    private static double[] linear(double[] weight, double[] bias, double[] x) {
        double[] y = bias.clone();
        for (int j = 0; j < y.length; j++) {
            for (int i = 0; i < x.length; i++) {
                y[j] += weight[j * x.length + i] * x[i];
            }
        }
        return y;
    }

    /**
     * The projections of all heads of a text, [heads * projection].
     *
     * @param x features of the text, [heads * width]
     */
    double[] projections(double[] x) {
        double[] all = new double[sizes.projections()];
        for (int head = 0; head < sizes.heads(); head++) {
            double[] one = new double[sizes.width()];
            System.arraycopy(x, head * sizes.width(), one, 0, one.length);
            System.arraycopy(linear(parameters[0], parameters[1], one), 0, all, head * sizes.projection(),
                    sizes.projection());
        }
        return all;
    }

    /** @param keep factors on the hidden units */
    double[] logits(double[] projections, double[] keep) {
        double[] hidden = linear(parameters[2], parameters[3], projections);
        for (int i = 0; i < hidden.length; i++) {
            hidden[i] = Math.max(0, hidden[i]) * keep[i];
        }
        return linear(parameters[4], parameters[5], hidden);
    }

    /** The negative log softmax of one logit. */
    static double loss(double[] logits, int function) {
        double total = 0;
        for (double logit : logits) {
            total += Math.exp(logit - logits[function]);
        }
        return Math.log(total);
    }
}
