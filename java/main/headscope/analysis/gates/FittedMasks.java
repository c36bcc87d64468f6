package headscope.analysis.gates;

import headscope.analysis.ProgressFile;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The result of a fit, in fp32, so that a resumed run continues with exactly what was computed.
 *
 * @param theta logits of the gates, [seeds][layers * heads]
 * @param nll   of the batch before each update, nats, [seeds][updates]
 */
record FittedMasks(float[][] theta, float[][] nll) {
    static final ProgressFile<FittedMasks> FILE = new ProgressFile<>(
            masks -> new ProgressFile.Contents(Map.of("seeds", Integer.toString(masks.seeds())),
                    Map.of("theta", joined(masks.theta), "nll", joined(masks.nll)), Map.of()),
            stored -> {
                int seeds = Integer.parseInt(stored.metadata().get("seeds"));
                return new FittedMasks(
                        rows(stored.get("theta").floats(), seeds), rows(stored.get("nll").floats(), seeds));
            });

    private static float[] joined(float[][] rows) {
        float[] joined = new float[rows.length * rows[0].length];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(rows[i], 0, joined, i * rows[0].length, rows[0].length);
        }
        return joined;
    }

    private static float[][] rows(float[] values, int count) {
        int width = values.length / count;
        return IntStream.range(0, count)
                .mapToObj(i -> Arrays.copyOfRange(values, i * width, (i + 1) * width))
                .toArray(float[][]::new);
    }

    double gate(int seed, int head) {
        return GateMask.gate(theta[seed][head]);
    }

    int seeds() {
        return theta.length;
    }

    /** The gates, which multiply the outputs of heads, [seeds][layers * heads]. */
    float[][] gates() {
        float[][] gates = new float[seeds()][];
        for (int seed = 0; seed < seeds(); seed++) {
            gates[seed] = new float[theta[seed].length];
            for (int head = 0; head < gates[seed].length; head++) {
                gates[seed][head] = (float) gate(seed, head);
            }
        }
        return gates;
    }
}
