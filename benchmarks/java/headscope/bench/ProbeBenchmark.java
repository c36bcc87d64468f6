package headscope.bench;

import headscope.analysis.statistics.Probe;
import headscope.analysis.statistics.ProbeResult;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The three probes of a spectra run with 144 heads and k = 10, in a new process: AttnLogDet, AttnEigvals, LapEigvals. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 0)
@Measurement(iterations = 1)
@Fork(3)
public class ProbeBenchmark {
    private static final int HEADS = 144;
    private static final int K = 10;

    @Param({"480", "5000"})
    int texts;

    private boolean[] labels;
    private List<float[][]> features;

    @Setup
    public void draw() {
        Random random = new Random(1);
        labels = new boolean[texts];
        for (int i = 0; i < texts; i++) {
            labels[i] = random.nextDouble() < 0.4;
        }
        features = IntStream.of(1, K, K).mapToObj(perHead -> values(random, perHead)).toList();
    }

    /** Values per head as spectra have them: descending and correlated, and in some heads larger for positives. */
    private float[][] values(Random random, int perHead) {
        float[][] values = new float[texts][HEADS * perHead];
        for (int text = 0; text < texts; text++) {
            for (int head = 0; head < HEADS; head++) {
                double value = random.nextGaussian() + (labels[text] && head % 12 == 0 ? 0.3 : 0);
                for (int i = 0; i < perHead; i++) {
                    value -= Math.abs(0.2 * random.nextGaussian());
                    values[text][head * perHead + i] = (float) (0.1 * value);
                }
            }
        }
        return values;
    }

    @Benchmark
    public List<ProbeResult> fit() {
        return features.stream()
                .map(values -> Probe.crossValidate(values, labels, 0, () -> {}))
                .toList();
    }
}
