package example;

import headscope.analysis.statistics.MannWhitney;
import headscope.backend.Backend;
import headscope.figure.ColorBar;
import headscope.figure.Colormap;
import headscope.figure.Figure;
import headscope.figure.HeadPanels;
import headscope.figure.Range;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import headscope.render.OffscreenRenderer;
import headscope.result.HeadMap;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Which heads attend to themselves differently in two groups of texts? */
final class LibraryExample {
    private static final Metric SCORE = new Metric.AttentionScore();

    /** Draws the p-value of every head. */
    static HeadMap compare(Path folder, List<String> first, List<String> second, Path picture) {
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                Tokenizer tokenizer = Tokenizer.open(folder, checkpoint.config());
                Backend backend = Backend.open("auto");
                Transformer model = new Transformer(checkpoint, backend)) {
            double[][][] x = scores(model, tokenizer, first);
            double[][][] y = scores(model, tokenizer, second);
            int heads = model.config().heads();
            float[] p = new float[model.config().layers() * heads];
            for (int i = 0; i < p.length; i++) {
                p[i] = (float) MannWhitney.test(x[i / heads][i % heads], y[i / heads][i % heads]).p();
            }
            HeadMap map = new HeadMap("AttnScore", "p-value", model.config().layers(), heads, p);
            ColorBar bar = new ColorBar(map.unit(), new Range(0, 1), Colormap.rocket());
            Figure figure = new Figure(HeadPanels.of(List.of(map), bar), 1, "Mann-Whitney U");
            try (OffscreenRenderer renderer = OffscreenRenderer.open()) {
                renderer.write(figure, picture, OffscreenRenderer.DEFAULT_DPI, Map.of());
            }
            return map;
        }
    }

    /** The attention score of every head, [layers][heads][texts]. */
    private static double[][][] scores(Transformer model, Tokenizer tokenizer, List<String> texts) {
        double[][][] scores = new double[model.config().layers()][model.config().heads()][texts.size()];
        for (int text = 0; text < texts.size(); text++) {
            int[] tokens = tokenizer.encode(texts.get(text));
            try (Sequence sequence = model.sequence(tokens.length)) {
                model.forward(sequence, tokens, LayerHook.NONE);
                for (int layer = 0; layer < scores.length; layer++) {
                    double[][] measured = model.backend()
                            .measure(List.of(SCORE), sequence.statistics(layer), model.attentionSpec(layer)).getFirst().of(SCORE);
                    for (int head = 0; head < measured.length; head++) {
                        scores[layer][head][text] = measured[head][0];
                    }
                }
            }
        }
        return scores;
    }
}
