package headscope.analysis.spectra;

import headscope.analysis.statistics.Probe;
import headscope.analysis.statistics.ProbeResult;
import headscope.result.CurveTable;
import headscope.result.LayerAuroc;
import headscope.result.SpectraValues;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/** One probe per layer and feature: how well the heads of a single layer separate the classes. */
final class LayerProbes {
    private final SpectraValues values;
    private final boolean[] labels;
    private final long seed;
    private final SequencedMap<String, double[]> curves = new LinkedHashMap<>();

    LayerProbes(SpectraValues values, boolean[] labels, long seed) {
        this.values = values;
        this.labels = labels;
        this.seed = seed;
    }

    /**
     * Fits the probes of a feature. A feature without a probe in some layer has no curve.
     *
     * @param measured the values of the feature, [layers, heads, values per head] for each text
     * @param fitted   called after each fold, from any thread
     */
    void add(String feature, SpectraValues.Measured measured, Runnable fitted) {
        double[] mean = new double[values.layers()];
        double[] deviation = new double[values.layers()];
        int fittedLayers = 0;
        for (int layer = 0; layer < values.layers(); layer++) {
            if (Probe.crossValidate(ofLayer(measured, layer), labels, seed, fitted) instanceof ProbeResult.Measured probe) {
                mean[layer] = probe.auroc();
                deviation[layer] = probe.deviation();
                fittedLayers++;
            }
        }
        if (fittedLayers == values.layers()) {
            curves.put(feature, mean);
            curves.put(feature + LayerAuroc.DEVIATION, deviation);
        }
    }

    private float[][] ofLayer(SpectraValues.Measured measured, int layer) {
        int length = values.heads() * measured.perHead().orElse(1);
        return measured.texts().stream()
                .map(text -> Arrays.copyOfRange(text, layer * length, (layer + 1) * length))
                .toArray(float[][]::new);
    }

    /** What was measured; empty if there is no curve. */
    Optional<LayerAuroc> result() {
        return curves.isEmpty() ? Optional.empty() : Optional.of(new LayerAuroc(
                new CurveTable(LayerAuroc.LAYER, IntStream.range(0, values.layers()).toArray(), curves)));
    }
}
