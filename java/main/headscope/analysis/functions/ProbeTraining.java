package headscope.analysis.functions;

import headscope.analysis.InputException;
import headscope.analysis.Progress;

import headscope.analysis.statistics.RandomStreams;
import headscope.backend.Gradients;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/** Trains a probe epoch by epoch; equal random numbers give equal probes. */
record ProbeTraining(FunctionProbe probe, HeadFeatures features, FunctionsRequest.Training settings) {
    /**
     * @param texts     indices of the texts in the features
     * @param functions one per text
     * @return mean loss over the last epoch, nats
     */
    double train(int[] texts, int[] functions, RandomGenerator random, Progress progress) {
        int[] order = new int[texts.length];
        Arrays.setAll(order, i -> i);
        Gradients.AdamW adamW = settings.adamW();
        double loss = 0;
        for (int epoch = 0; epoch < settings.epochs(); epoch++) {
            if (settings.order() == FunctionsRequest.Order.SHUFFLED) {
                RandomStreams.shuffle(order, random);
            }
            loss = 0;
            for (int first = 0; first < order.length; first += settings.batch()) {
                int[] batch = Arrays.copyOfRange(order, first, Math.min(order.length, first + settings.batch()));
                float[] losses = probe.train(features, gather(texts, batch), gather(functions, batch),
                        dropout(batch.length, random), adamW);
                for (float each : losses) {
                    loss += each / order.length;
                }
            }
            if (!Double.isFinite(loss)) {
                throw new InputException((
                        "the probe's loss is %s in epoch %d: lower --rate, and start over with --overwrite")
                        .formatted(loss, epoch + 1));
            }
            progress.reached(epoch + 1, settings.epochs());
        }
        return loss;
    }

    private static int[] gather(int[] values, int[] indices) {
        return Arrays.stream(indices).map(i -> values[i]).toArray();
    }

    /** Dropout factors [texts, hidden]: 0, or the factor that preserves the expected value. */
    private float[] dropout(int texts, RandomGenerator random) {
        float[] factors = new float[texts * settings.hidden()];
        float kept = (float) (1 / (1 - settings.dropout()));
        for (int i = 0; i < factors.length; i++) {
            factors[i] = random.nextDouble() < settings.dropout() ? 0 : kept;
        }
        return factors;
    }
}
