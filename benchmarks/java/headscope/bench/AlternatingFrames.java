package headscope.bench;

import headscope.result.frame.Frame;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Stands between a model and its viewers: passes frames on in every second phase and keeps them in the others, and
 * measures how fast they come in each.
 */
final class AlternatingFrames implements Consumer<Frame> {
    /** Share of a phase that is not measured, because the phase before may still have an effect. */
    private static final double SETTLING = 0.3;

    private final Consumer<Frame> viewers;
    private final int warmUp;
    private final double[] rates; // tokens per second of each phase, first one without viewers
    private final double nanosPerPhase;
    private final List<Frame> kept = new ArrayList<>();
    private long start; // of the first phase
    private long last; // when the last frame came
    private int phase = -1;
    private int tokens;
    private long nanos;

    /**
     * @param warmUp phases that are not measured, an even number
     * @param pairs  phases with viewers that are measured
     */
    AlternatingFrames(Consumer<Frame> viewers, int warmUp, int pairs, double seconds) {
        this.viewers = viewers;
        this.warmUp = warmUp;
        this.rates = new double[2 * pairs + 1];
        this.nanosPerPhase = seconds * 1e9;
    }

    /** Called by the model after each token. */
    @Override
    public void accept(Frame frame) {
        long now = System.nanoTime();
        if (phase < 0) {
            start = now;
            last = now;
            phase = 0;
        }
        double position = (now - start) / nanosPerPhase;
        if ((int) position > phase) {
            end((int) position);
        } else if (position - phase > SETTLING && frame.step() > 1) { // the first steps read a prompt
            tokens++;
            nanos += now - last;
        }
        last = now;
        pass(frame);
    }

    private void pass(Frame frame) {
        if (phase % 2 == 0) {
            kept.add(frame);
        } else {
            kept.stream().reduce(Frame::then).ifPresent(viewers);
            kept.clear();
            viewers.accept(frame);
        }
    }

    private void end(int next) {
        int measured = phase - warmUp;
        if (measured >= 0 && measured < rates.length) {
            rates[measured] = tokens / (nanos / 1e9);
        }
        phase = next;
        tokens = 0;
        nanos = 0;
    }

    boolean ended() {
        return phase - warmUp >= rates.length;
    }

    double rateWithout() {
        return median(every(0));
    }

    double rateWith() {
        return median(every(1));
    }

    private double[] every(int first) {
        double[] some = new double[(rates.length + 1 - first) / 2];
        for (int i = 0; i < some.length; i++) {
            some[i] = rates[2 * i + first];
        }
        return some;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    /** The median of the ratios of phases with viewers to the mean of their neighbours, and its interval: two cells. */
    String ratio() {
        double[] ratios = new double[rates.length / 2];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = rates[2 * i + 1] / ((rates[2 * i] + rates[2 * i + 2]) / 2);
        }
        Arrays.sort(ratios);
        // The ranks of a binomial distribution with p = 1/2, by its normal approximation.
        int reach = (int) Math.ceil(0.98 * Math.sqrt(ratios.length));
        int low = Math.max(0, ratios.length / 2 - reach);
        int high = Math.min(ratios.length - 1, (ratios.length - 1) / 2 + reach);
        return "%.1f %% | %.1f to %.1f %%".formatted(100 * median(ratios), 100 * ratios[low], 100 * ratios[high]);
    }
}
