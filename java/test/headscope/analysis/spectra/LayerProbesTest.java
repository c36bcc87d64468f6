package headscope.analysis.spectra;

import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.analysis.Progress;
import headscope.analysis.spectra.SpectraRequest.PerSample;
import headscope.analysis.statistics.Probe;
import headscope.analysis.statistics.ProbeResult;
import headscope.result.LayerAuroc;
import headscope.result.SpectraValues;
import headscope.result.SpectraValues.Measured;
import headscope.result.SpectraView;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LayerProbesTest {
    private static final int TEXTS = 40;
    private static final int HEADS = 4;
    private static final int K = 3;
    private static final TestSettings SETTINGS =
            new TestSettings(K, PerSample.MEAN, SpectraView.PUBLISHED.drawn(), SpectraView.PUBLISHED, true, 5);

    /** Random values; those of head 1 of the last layer are larger for label 1. */
    private static SpectraValues values(int layers) {
        long[] labels = IntStream.range(0, TEXTS).mapToLong(text -> text % 2).toArray();
        return new SpectraValues(layers, HEADS, List.of(
                measured("attention_score", layers, 1, labels), measured("attention_eigenvalues", layers, K, labels),
                measured("laplacian", layers, K, labels)), labels);
    }

    private static Measured measured(String metric, int layers, int perHead, long[] labels) {
        Random random = new Random(metric.hashCode());
        List<float[]> texts = new ArrayList<>();
        for (long label : labels) {
            float[] text = new float[layers * HEADS * perHead];
            for (int i = 0; i < text.length; i++) {
                boolean telling = i / perHead == (layers - 1) * HEADS + 1;
                text[i] = random.nextFloat() + (telling ? label : 0);
            }
            texts.add(text);
        }
        return new Measured(metric, perHead == 1 ? OptionalInt.empty() : OptionalInt.of(perHead), texts);
    }

    private static SpectraSummary tests(SpectraValues values) {
        return SpectraTests.of(values, SETTINGS, false, 0, true, Progress.SILENT).summary();
    }

    private static void check(ProbeResult expected, LayerAuroc layers, String feature, int layer) {
        ProbeResult.Measured probe = (ProbeResult.Measured) expected;
        assertEquals(probe.auroc(), layers.mean(feature)[layer]);
        assertEquals(probe.deviation(), layers.table().curves().get(feature + "_std")[layer]);
    }

    @Test
    void ofOneLayerEqualThoseOfAllHeads() {
        SpectraSummary summary = tests(values(1));
        LayerAuroc layers = summary.layers().orElseThrow();
        assertEquals(List.of("AttnLogDet", "AttnEigvals", "LapEigvals"), layers.features());
        summary.probes().forEach((feature, probe) -> check(probe, layers, feature, 0));
    }

    @Test
    void seeTheHeadsOfTheirLayerOnly() {
        SpectraValues values = values(3);
        LayerAuroc layers = tests(values).layers().orElseThrow();
        boolean[] labels = new boolean[TEXTS];
        IntStream.range(0, TEXTS).forEach(text -> labels[text] = values.labels()[text] == 1);
        List<float[]> laplacian = values.find("laplacian").orElseThrow().texts();
        for (int layer = 0; layer < 3; layer++) {
            float[][] features = new float[TEXTS][HEADS * K];
            for (int text = 0; text < TEXTS; text++) {
                System.arraycopy(laplacian.get(text), layer * HEADS * K, features[text], 0, HEADS * K);
            }
            check(Probe.crossValidate(features, labels, 5, () -> {}), layers, "LapEigvals", layer);
        }
        assertEquals(1, layers.mean("LapEigvals")[2], 0.02);
        assertEquals(0.5, layers.mean("LapEigvals")[0], 0.3);
    }

    @Test
    void areAbsentWithoutProbesAndWithOneTextOfAClass() {
        TestSettings none = new TestSettings(K, PerSample.MEAN, SpectraView.PUBLISHED.drawn(), SpectraView.PUBLISHED, false, 5);
        assertEquals(Optional.empty(), SpectraTests.of(values(2), none, false, 0, true, Progress.SILENT).summary().layers());
        SpectraValues few = values(2).select(new int[] {0, 1, 2}, new long[] {0, 1, 0});
        assertEquals(Optional.empty(), tests(few).layers());
    }
}
