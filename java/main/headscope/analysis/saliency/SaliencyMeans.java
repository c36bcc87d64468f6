package headscope.analysis.saliency;

import headscope.analysis.InputException;

import headscope.analysis.saliency.SaliencyRequest.Cell;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/**
 * Means over texts.
 *
 * @param columns  of heads.csv, by name: over the texts that have a value; [layers * heads]
 * @param overview the name of the column that ranks heads
 */
record SaliencyMeans(SequencedMap<String, double[]> columns, String overview) {
    static SaliencyMeans of(List<SaliencyObservation> observations, Cell cell) {
        SequencedMap<String, double[]> columns = new LinkedHashMap<>();
        for (String name : SaliencyObservation.COLUMNS) {
            columns.put(name, mean(observations.stream().map(seen -> seen.heads().of(name)).toList()));
        }
        SaliencyMeans means = new SaliencyMeans(columns, switch (cell) {
            case MAX, THUMBNAIL -> "maximum";
            case MEAN -> "mean";
            case SHARE -> "aggregate_share";
        });
        if (means.ranked().isEmpty()) {
            throw noShare();
        }
        return means;
    }

    static InputException noShare() {
        return new InputException("--cell share: the target stands nowhere in the text before it (in its first group, "
                + "where there are groups): take another --cell");
    }

    /** Of what has a value. */
    private static double[] mean(List<float[]> all) {
        double[] mean = new double[all.getFirst().length];
        for (int i = 0; i < mean.length; i++) {
            int at = i;
            mean[i] = all.stream().mapToDouble(values -> values[at]).filter(value -> !Double.isNaN(value))
                    .average().orElse(Double.NaN);
        }
        return mean;
    }

    /** As {@link #mean}, rounded. */
    static float[] rounded(List<float[]> all) {
        double[] mean = mean(all);
        float[] values = new float[mean.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) mean[i];
        }
        return values;
    }

    /** Heads with a value, by falling overview; equal ones in order. */
    List<Integer> ranked() {
        double[] values = columns.get(overview);
        return IntStream.range(0, values.length).filter(head -> !Double.isNaN(values[head])).boxed()
                .sorted(Comparator.comparingDouble((Integer head) -> -values[head]))
                .toList();
    }

    HeadName largest(int heads) {
        return name(ranked().getFirst(), heads);
    }

    static HeadName name(int head, int heads) {
        return new HeadName(head / heads, head % heads);
    }
}
