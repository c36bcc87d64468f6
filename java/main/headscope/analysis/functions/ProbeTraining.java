package headscope.analysis.functions;

import headscope.analysis.InputException;
import headscope.analysis.Progress;

import headscope.backend.Gradients;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/** Teaches a probe, epoch by epoch. Equal random numbers, equal probe. */
record ProbeTraining(FunctionProbe probe, HeadFeatures features, FunctionsRequest.Training settings) {
    /**
     * @param texts     by their places in the features
     * @param functions of these texts
     * @return mean loss over the last epoch, nats
     */
    double train(int[] texts, int[] functions, RandomGenerator random, Progress progress) {
        int[] order = new int[texts.length];
        Arrays.setAll(order, i -> i);
        Gradients.AdamW adamW = settings.adamW();
        double loss = 0;
        for (int epoch = 0; epoch < settings.epochs(); epoch++) {
            if (settings.order() == FunctionsRequest.Order.SHUFFLED) {
                shuffle(order, random);
            }
            loss = 0;
            for (int first = 0; first < order.length; first += settings.batch()) {
                int[] batch = Arrays.copyOfRange(order, first, Math.min(order.length, first + settings.batch()));
                float[] losses = probe.train(features, picked(texts, batch), picked(functions, batch),
                        keep(batch.length, random), adamW);
                for (float each : losses) {
                    loss += each / order.length;
                }
            }
            if (!Double.isFinite(loss)) {
                throw new InputException((
                        "the probe's loss is %s in epoch %d: lower --rate, and begin anew with --overwrite")
                        .formatted(loss, epoch + 1));
            }
            progress.reached(epoch + 1, settings.epochs());
        }
        return loss;
    }

    /** Fisher and Yates. */
    private static void shuffle(int[] order, RandomGenerator random) {
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int kept = order[i];
            order[i] = order[j];
            order[j] = kept;
        }
    }

    private static int[] picked(int[] values, int[] places) {
        return Arrays.stream(places).map(place -> values[place]).toArray();
    }

    /** What is kept is scaled up, so that its expected sum stays. */
    private float[] keep(int texts, RandomGenerator random) {
        float[] keep = new float[texts * settings.hidden()];
        float kept = (float) (1 / (1 - settings.dropout()));
        for (int i = 0; i < keep.length; i++) {
            keep[i] = random.nextDouble() < settings.dropout() ? 0 : kept;
        }
        return keep;
    }
}
