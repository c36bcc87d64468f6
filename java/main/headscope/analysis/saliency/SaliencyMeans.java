package headscope.analysis.saliency;

import headscope.analysis.HeadName;
import headscope.analysis.InputException;
import headscope.result.SaliencyCell;
import headscope.result.SaliencyColumn;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Means over texts.
 *
 * @param columns  over the texts that have a value, [layers, heads]
 * @param overview the column that ranks heads
 */
record SaliencyMeans(Map<SaliencyColumn, double[]> columns, SaliencyColumn overview) {
    static SaliencyMeans of(List<SaliencyObservation> observations, SaliencyCell cell) {
        Map<SaliencyColumn, double[]> columns = new EnumMap<>(SaliencyColumn.class);
        for (SaliencyColumn column : SaliencyColumn.values()) {
            columns.put(column, mean(observations.stream().map(text -> text.heads().get(column)).toList()));
        }
        SaliencyMeans means = new SaliencyMeans(columns, switch (cell) {
            case MAX, THUMBNAIL -> SaliencyColumn.MAXIMUM;
            case MEAN -> SaliencyColumn.MEAN;
            case SHARE -> SaliencyColumn.AGGREGATE_SHARE;
        });
        if (means.ranked().isEmpty()) {
            throw noShare();
        }
        return means;
    }

    static InputException noShare() {
        return new InputException("--cell share: the target does not occur earlier in the text (in its first group, "
                + "if there are groups); choose another --cell");
    }

    /** Mean over the values that are not NaN; NaN if there are none. */
    private static double[] mean(List<float[]> all) {
        double[] mean = new double[all.getFirst().length];
        for (int i = 0; i < mean.length; i++) {
            int at = i;
            mean[i] = all.stream().mapToDouble(values -> values[at]).filter(value -> !Double.isNaN(value))
                    .average().orElse(Double.NaN);
        }
        return mean;
    }

    /** Mean of maps of finite values. */
    static float[] ofMaps(List<float[]> maps) {
        if (maps.size() == 1) {
            return maps.getFirst();
        }
        float[] mean = new float[maps.getFirst().length];
        for (int i = 0; i < mean.length; i++) {
            double sum = 0;
            for (float[] map : maps) {
                sum += map[i];
            }
            mean[i] = (float) (sum / maps.size());
        }
        return mean;
    }

    /** Heads that have a value, by decreasing overview; equal ones by index. */
    List<Integer> ranked() {
        double[] values = columns.get(overview);
        return IntStream.range(0, values.length).filter(head -> !Double.isNaN(values[head])).boxed()
                .sorted(Comparator.comparingDouble((Integer head) -> -values[head]))
                .toList();
    }

    HeadName largest(int heads) {
        return HeadName.of(ranked().getFirst(), heads);
    }
}
