package headscope.analysis.spectra;

import headscope.analysis.Progress;
import headscope.analysis.statistics.MannWhitney;
import headscope.analysis.statistics.Probe;
import headscope.analysis.statistics.ProbeResult;
import headscope.result.SpectraValues;
import headscope.result.TestedHeads;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/**
 * The tests of every head and the probes.
 *
 * @param tested by metric; empty if all texts have one label
 */
record SpectraTests(SequencedMap<String, TestedHeads> tested, SpectraSummary summary) {
    private static final String SCORE = "attention_score";

    /** The names of published metrics; others keep their own. */
    private static final Map<String, String> SHORT = Map.of(SCORE, "AttnScore", "laplacian", "Laplacian");

    /** Features of the probes, as published, and the metrics that they are made of. */
    private static final SequencedMap<String, String> FEATURES = new LinkedHashMap<>();

    static {
        FEATURES.put("AttnLogDet", SCORE);
        FEATURES.put("AttnEigvals", "attention_eigenvalues");
        FEATURES.put("LapEigvals", "laplacian");
    }

    /**
     * @param values   of at least one text; they include the attention score and the features
     * @param answered whether labels tell how the model answered
     * @param skipped  number of texts without values
     * @param hasValues whether the run folder has the values
     * @param progress  of the probes, in folds
     */
    static SpectraTests of(
            SpectraValues values, TestSettings settings, boolean answered, int skipped, boolean hasValues,
            Progress progress) {
        boolean[] labels = new boolean[values.labels().length];
        int ones = 0;
        for (int i = 0; i < labels.length; i++) {
            labels[i] = values.labels()[i] == 1;
            ones += labels[i] ? 1 : 0;
        }
        SequencedMap<String, TestedHeads> tested = new LinkedHashMap<>();
        SequencedMap<String, Double> shareP = new LinkedHashMap<>();
        Map<String, Double> shareQ = new LinkedHashMap<>();
        SequencedMap<String, ProbeResult> probes = new LinkedHashMap<>();
        LayerProbes layers = new LayerProbes(values, labels, settings.seed());
        double unsupervised = Double.NaN;
        if (ones > 0 && ones < labels.length) {
            int[] classes = IntStream.range(0, labels.length).map(i -> labels[i] ? 1 : 0).toArray();
            boolean pooled = settings.perSample() == SpectraRequest.PerSample.POOLED;
            for (String metric : settings.metrics()) {
                SpectraValues.Measured measured = measured(values, metric, settings);
                TestedHeads one = HeadTests.of(measured.texts(), classes, measured.perHead().orElse(1), pooled);
                tested.put(metric, one);
                shareP.put(name(metric), one.shareSignificant());
                shareQ.put(name(metric), one.shareDiscovered());
            }
            unsupervised = unsupervised(measured(values, SCORE, settings).texts(), classes, values.layers());
            if (settings.probes()) {
                probes = probes(values, settings, labels, layers, progress);
            }
        }
        return new SpectraTests(tested, new SpectraSummary(answered, labels.length - ones, ones, skipped,
                values.layers() * values.heads(), values.heads(), tested, shareP, shareQ, unsupervised, probes, layers.result(), hasValues));
    }

    /** The name of a metric in summaries and manifests. */
    static String name(String metric) {
        return SHORT.getOrDefault(metric, metric);
    }

    private static SequencedMap<String, ProbeResult> probes(
            SpectraValues values, TestSettings settings, boolean[] labels, LayerProbes layers, Progress progress) {
        int folds = FEATURES.size() * Probe.folds(labels) * (1 + values.layers());
        AtomicInteger done = new AtomicInteger();
        Runnable fitted = () -> {
            synchronized (progress) {
                progress.reached(done.incrementAndGet(), folds);
            }
        };
        SequencedMap<String, ProbeResult> probes = new LinkedHashMap<>();
        FEATURES.forEach((name, metric) -> {
            SpectraValues.Measured measured = measured(values, metric, settings);
            probes.put(name, Probe.crossValidate(
                    measured.texts().toArray(float[][]::new), labels, settings.seed(), fitted));
            layers.add(name, measured, fitted);
        });
        return probes;
    }

    private static SpectraValues.Measured measured(SpectraValues values, String metric, TestSettings settings) {
        return values.find(metric).orElseThrow().first(settings.k());
    }

    /** AUROC of the untrained attention score of Binkowski et al.: minus the sum over heads, mean over layers. */
    private static double unsupervised(List<float[]> scores, int[] labels, int layers) {
        double[] score = scores.stream()
                .mapToDouble(values -> -IntStream.range(0, values.length).mapToDouble(i -> values[i]).sum() / layers)
                .toArray();
        return MannWhitney.auroc(ofLabel(score, labels, 1), ofLabel(score, labels, 0));
    }

    private static double[] ofLabel(double[] values, int[] labels, int label) {
        return IntStream.range(0, labels.length)
                .filter(i -> labels[i] == label)
                .mapToDouble(i -> values[i])
                .toArray();
    }
}
