package headscope.analysis.spectra;

import headscope.backend.Backend;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** What is measured of every head on one text: one array per metric, [layers, heads, values per head]. */
final class HeadValues {
    private final List<Metric> metrics;
    private final int heads;
    private final List<float[]> values = new ArrayList<>();

    /**
     * @param metrics the attention score among them
     * @param k       number of values per head of a {@link Metric.Spectrum}
     */
    HeadValues(List<Metric> metrics, int k, int layers, int heads) {
        this.metrics = metrics;
        this.heads = heads;
        metrics.forEach(metric -> values.add(new float[layers * heads * (metric instanceof Metric.Spectrum ? k : 1)]));
    }

    /** Whether the metrics need {@link #addSymmetric}. */
    static boolean needSymmetric(List<Metric> metrics) {
        return metrics.stream().anyMatch(Metric.Symmetric.class::isInstance);
    }

    /** The metrics that follow from a layer's statistics. */
    static List<Metric> fromStatistics(List<Metric> metrics) {
        return metrics.stream().filter(metric -> !(metric instanceof Metric.Symmetric)).toList();
    }

    /** @param result of {@link Backend#measure}: the metrics of {@link #fromStatistics} */
    void add(int layer, LayerResult result) {
        fromStatistics(metrics).forEach(metric -> store(metric, layer, result.of(metric)));
    }

    /** @param spectra of {@link Backend#symmetricSpectrum} */
    void addSymmetric(int layer, double[][] spectra) {
        for (Metric metric : metrics) {
            if (metric instanceof Metric.Symmetric symmetric) {
                store(metric, layer, Arrays.stream(spectra)
                        .map(spectrum -> new double[] {symmetric.of(spectrum)})
                        .toArray(double[][]::new));
            }
        }
    }

    private void store(Metric metric, int layer, double[][] ofHeads) {
        float[] all = values.get(metrics.indexOf(metric));
        int perHead = ofHeads[0].length;
        for (int head = 0; head < heads; head++) {
            for (int i = 0; i < perHead; i++) {
                all[(layer * heads + head) * perHead + i] = (float) ofHeads[head][i];
            }
        }
    }

    List<float[]> values() {
        return values;
    }

    /** A head whose attention is not finite, in words. The attention score is finite whenever attention is. */
    Optional<String> overflow() {
        float[] scores = values.get(metrics.indexOf(new Metric.AttentionScore()));
        for (int head = 0; head < scores.length; head++) {
            if (!Float.isFinite(scores[head])) {
                return Optional.of("attention of layer %d, head %d is not finite"
                        .formatted(head / heads, head % heads));
            }
        }
        return Optional.empty();
    }
}
