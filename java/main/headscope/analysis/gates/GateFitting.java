package headscope.analysis.gates;

import headscope.analysis.statistics.RandomStreams;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** Fits the masks of all seeds together; their batches share forward and backward passes. */
final class GateFitting {
    /** Random streams per seed: one for the initial gates, one for the batches of each fit. */
    private static final int STREAMS = 1 + GateFit.values().length;

    private final GatesRequest request;
    private final GatedModel model;

    GateFitting(GatesRequest request, GatedModel model) {
        this.request = request;
        this.model = model;
    }

    /**
     * @param initial the masks to start from; empty = random gates
     * @param updated called after each update
     */
    FittedMasks fit(GateFit fit, GateTexts texts, Optional<FittedMasks> initial, Runnable updated) {
        GatesRequest.Schedule schedule = request.schedule(fit);
        List<GateMask> masks = new ArrayList<>();
        List<BatchSampler> samplers = new ArrayList<>();
        for (int seed = 0; seed < request.seeds(); seed++) {
            float[] start = initial.isPresent() ? initial.get().theta()[seed] : start(seed);
            masks.add(new GateMask(start, request.regulariser(fit), request.clipNorm()));
            samplers.add(new BatchSampler(
                    random(seed, 1 + fit.ordinal()), texts.size(), Math.min(request.batch(), texts.size())));
        }
        float[][] nll = new float[masks.size()][schedule.updates()];
        for (int update = 0; update < schedule.updates(); update++) {
            List<GatedText> batch = new ArrayList<>();
            for (int seed = 0; seed < masks.size(); seed++) {
                batch.addAll(texts.batch(samplers.get(seed).next(), seed));
            }
            double[] before = step(masks, batch, schedule.rate(update));
            for (int seed = 0; seed < masks.size(); seed++) {
                nll[seed][update] = (float) before[seed];
            }
            updated.run();
        }
        return new FittedMasks(
                masks.stream().map(mask -> floats(mask.theta())).toArray(float[][]::new), nll);
    }

    /**
     * One update of every mask.
     *
     * @return the weighted nll of the batch before the update, per mask
     */
    double[] step(List<GateMask> masks, List<GatedText> batch, double rate) {
        double[][] gradients = new double[masks.size()][model.heads()];
        double[] nll = model.nll(
                batch, masks.stream().map(GateMask::gates).toArray(float[][]::new), gradients);
        double[] sums = new double[masks.size()];
        for (int i = 0; i < batch.size(); i++) {
            sums[batch.get(i).mask()] += batch.get(i).weight() * nll[i];
        }
        for (int mask = 0; mask < masks.size(); mask++) {
            masks.get(mask).step(gradients[mask], rate);
        }
        return sums;
    }

    /** Logits of gates that are uniform in (0, 1). */
    private float[] start(int seed) {
        RandomGenerator random = random(seed, 0);
        return floats(IntStream.range(0, model.heads())
                .mapToDouble(head -> random.nextDouble(Double.MIN_NORMAL, 1))
                .map(gate -> Math.log(gate / (1 - gate)))
                .toArray());
    }

    private RandomGenerator random(int seed, int stream) {
        return RandomStreams.of(request.seed(), (long) STREAMS * seed + stream);
    }

    private static float[] floats(double[] values) {
        float[] rounded = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            rounded[i] = (float) values[i];
        }
        return rounded;
    }
}
