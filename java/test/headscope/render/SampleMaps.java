package headscope.render;

import headscope.figure.Figure;
import headscope.figure.Mark;
import headscope.figure.SpectraFigure;
import headscope.result.HeadMap;
import headscope.result.SpectraView;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Synthetic p-values that resemble those of a model: most are small, a few large, and one corner is brighter. */
public final class SampleMaps {
    public static final String CAPTION = "TinyLlama-1.1B-Chat, 100 texts per class, k = 10 largest eigenvalues of the "
            + "attention Laplacian, two-sided Mann-Whitney U test per head, Benjamini-Hochberg over all heads.";

    private SampleMaps() {}

    public static HeadMap map(String title, int layers, int heads, double bright, long seed) {
        Random random = new Random(seed);
        float[] values = new float[layers * heads];
        for (int layer = 0; layer < layers; layer++) {
            for (int head = 0; head < heads; head++) {
                double corner = Math.hypot((double) layer / layers - 0.9, (double) head / heads - 0.9);
                double p = Math.pow(random.nextDouble(), bright) * 0.5 + 0.25 * bright / 20 * Math.exp(-4 * corner);
                p = random.nextInt(12) == 0 ? 0.35 + 0.6 * random.nextDouble() : p;
                values[layer * heads + head] = (float) Math.min(p, 0.95);
            }
        }
        return new HeadMap(title, "p-value", layers, heads, values);
    }

    public static Figure figure(int layers, int heads) {
        return SpectraFigure.of(
                List.of(map("AttnScore", layers, heads, 3, 1), map("Laplacian Eigenvalues", layers, heads, 9, 2)),
                SpectraView.Shown.P, Optional.empty(), CAPTION);
    }

    /** With marked heads, and missing values on the diagonal. */
    public static Figure marked(int layers, int heads) {
        HeadMap attention = missing(map("AttnScore", layers, heads, 3, 1));
        HeadMap laplacian = map("Laplacian Eigenvalues", layers, heads, 9, 2);
        return SpectraFigure.of(List.of(attention, laplacian), SpectraView.Shown.P,
                Optional.of(new SpectraFigure.Significant(
                        List.of(some(attention, 0), some(laplacian, 0.8)), "q < 0.05")),
                CAPTION);
    }

    private static HeadMap missing(HeadMap map) {
        float[] values = map.values();
        for (int i = 0; i < Math.min(map.layers(), map.heads()); i++) {
            values[i * map.heads() + i] = Float.NaN;
        }
        return new HeadMap(map.title(), map.unit(), map.layers(), map.heads(), values);
    }

    private static Mark.CellMarkers some(HeadMap map, double above) {
        List<Mark.Cell> cells = new ArrayList<>();
        float[] values = map.values();
        for (int layer = 0; layer < map.layers(); layer++) {
            for (int head = 0; head < map.heads(); head++) {
                float p = values[layer * map.heads() + head];
                if (p < 0.004 || above > 0 && p > above) {
                    cells.add(new Mark.Cell(layer, head));
                }
            }
        }
        return new Mark.CellMarkers(cells);
    }
}
