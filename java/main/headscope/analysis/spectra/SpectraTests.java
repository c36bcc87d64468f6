package headscope.analysis.spectra;

import headscope.analysis.statistics.MannWhitney;
import headscope.analysis.statistics.Probe;
import headscope.analysis.statistics.ProbeResult;

import headscope.model.ModelConfig;
import headscope.result.TestedHeads;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/** The tests of every head and the probes, computed from the observations of all texts. */
record SpectraTests(TestedHeads attentionScore, TestedHeads laplacian, SpectraSummary summary) {
    static SpectraTests of(
            SpectraRequest request, ModelConfig config, List<Observation> observations, int skipped) {
        int[] labels = observations.stream().mapToInt(Observation::label).toArray();
        List<float[]> scores = values(observations, request, "attention_score");
        List<float[]> laplacians = values(observations, request, "laplacian");
        boolean pooled = request.perSample() == SpectraRequest.PerSample.POOLED;
        TestedHeads scoreTests = HeadTests.of(scores, labels, 1, false);
        TestedHeads laplacianTests = HeadTests.of(laplacians, labels, request.k(), pooled);

        SequencedMap<String, List<float[]>> features = new LinkedHashMap<>();
        features.put("AttnLogDet", scores);
        features.put("AttnEigvals", values(observations, request, "attention_eigenvalues"));
        features.put("LapEigvals", laplacians);
        SequencedMap<String, ProbeResult> probes = new LinkedHashMap<>();
        features.forEach((name, rows) -> probes.put(name, Probe.crossValidate(
                rows.toArray(float[][]::new), classes(labels), request.seed(), () -> {})));

        SequencedMap<String, Double> shareP = new LinkedHashMap<>();
        shareP.put("AttnScore", scoreTests.shareSignificant());
        shareP.put("Laplacian", laplacianTests.shareSignificant());
        boolean answered = observations.stream().noneMatch(observation -> observation.expected().isEmpty());
        int wrong = (int) IntStream.of(labels).filter(label -> label == 1).count();
        return new SpectraTests(scoreTests, laplacianTests, new SpectraSummary(
                answered, labels.length - wrong, wrong, skipped, config.layers() * config.heads(), shareP,
                Map.of("AttnScore", scoreTests.shareDiscovered(), "Laplacian", laplacianTests.shareDiscovered()),
                unsupervised(scores, labels, config), probes));
    }

    private static List<float[]> values(List<Observation> observations, SpectraRequest request, String key) {
        int metric = IntStream.range(0, request.metrics().size())
                .filter(m -> request.metrics().get(m).key().equals(key))
                .findFirst()
                .orElseThrow();
        return observations.stream().map(observation -> observation.values().get(metric)).toList();
    }

    private static boolean[] classes(int[] labels) {
        boolean[] classes = new boolean[labels.length];
        for (int i = 0; i < labels.length; i++) {
            classes[i] = labels[i] == 1;
        }
        return classes;
    }

    /** AUROC of the untrained attention score of Binkowski et al.: minus the sum over heads, mean over layers. */
    private static double unsupervised(List<float[]> scores, int[] labels, ModelConfig config) {
        double[] score = scores.stream()
                .mapToDouble(values -> -IntStream.range(0, values.length).mapToDouble(i -> values[i]).sum()
                        / config.layers())
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
