package headscope.live.screen;

import headscope.result.frame.AtlasBlock;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.result.frame.Frame.Token;
import headscope.result.frame.FrameSource;
import headscope.result.frame.FrameSource.MeasuredMetric;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Frames of made-up attention: each head looks at itself, at the token before, at the first token or at repetitions. */
final class SampleFrames {
    static final int SIDE = 64;

    private static final String[] WORDS = {"the", "capital", "of", "boria", "is", "birch", "."};

    private final FrameSource source;
    private final long seed;

    SampleFrames(int layers, int heads, long seed) {
        this.seed = seed;
        source = new FrameSource("sample", "made-up numbers", layers, heads, true,
                List.of(new MeasuredMetric("attention_score", "nat"), new MeasuredMetric("entropy", "nat")), SIDE,
                "maximum", 128);
    }

    FrameSource source() {
        return source;
    }

    /** The whole text in one frame; one head is shown closely. */
    Frame whole(int tokens, int layer, int head) {
        List<Token> names = new ArrayList<>();
        for (int i = 0; i < tokens; i++) {
            names.add(token(i));
        }
        List<AtlasBlock> atlas = new ArrayList<>();
        int bin = bin(tokens, SIDE);
        int cells = (tokens + bin - 1) / bin;
        for (int of = 0; of < source.layers(); of++) {
            float[] block = new float[source.heads() * cells * SIDE];
            for (int i = 0; i < source.heads(); i++) {
                pool(of, i, tokens, bin, block, i * cells * SIDE, SIDE, 0);
            }
            atlas.add(new AtlasBlock(of, 0, cells, block));
        }
        return frame(0, 0, names, bin, atlas, chosen(layer, head, tokens, 0));
    }

    /** A text whose maps are only known as cells of the atlas, of any length: a diagonal, and a column in each head. */
    Frame pooled(int tokens, int layer, int head) {
        List<Token> names = new ArrayList<>();
        for (int i = 0; i < tokens; i++) {
            names.add(token(i));
        }
        int bin = bin(tokens, SIDE);
        int cells = (tokens + bin - 1) / bin;
        List<AtlasBlock> atlas = new ArrayList<>();
        for (int of = 0; of < source.layers(); of++) {
            float[] block = new float[source.heads() * cells * SIDE];
            for (int i = 0; i < source.heads(); i++) {
                for (int row = 0; row < cells; row++) {
                    for (int column = 0; column <= row; column++) {
                        block[(i * cells + row) * SIDE + column] = cell(of, i, row, column);
                    }
                }
            }
            atlas.add(new AtlasBlock(of, 0, cells, block));
        }
        float[] rows = new float[cells * cells];
        for (int row = 0; row < cells; row++) {
            for (int column = 0; column <= row; column++) {
                rows[row * cells + column] = cell(layer, head, row, column);
            }
        }
        double[] eigenvalues = new double[tokens];
        for (int i = 0; i < tokens; i++) {
            eigenvalues[i] = 0.2 - 0.4 * i / tokens;
        }
        return frame(0, 0, names, bin, atlas,
                new ChosenHead(layer, head, bin, 0, cells, rows, ChosenHead.shown(eigenvalues), tokens));
    }

    private float cell(int layer, int head, int row, int column) {
        boolean bright = column == row || column == (int) (row * noise(layer, head, 7));
        return (float) ((bright ? 0.5 : 0.1) * (1 + noise(layer * 131 + head, row, column)));
    }

    /** The next token of a text of {@code tokens} tokens. */
    Frame next(int step, int tokens, int layer, int head) {
        int end = tokens + 1;
        int bin = bin(end, SIDE);
        if (bin != bin(tokens, SIDE)) {
            Frame whole = whole(end, layer, head);
            return frame(step, tokens, List.of(token(tokens)), bin, whole.atlas(), whole.chosen().orElseThrow());
        }
        int row = tokens / bin;
        List<AtlasBlock> atlas = new ArrayList<>();
        for (int of = 0; of < source.layers(); of++) {
            float[] block = new float[source.heads() * SIDE];
            for (int i = 0; i < source.heads(); i++) {
                pool(of, i, end, bin, block, i * SIDE, SIDE, row);
            }
            atlas.add(new AtlasBlock(of, row, 1, block));
        }
        int mapBin = bin(end, 1024);
        boolean anew = mapBin != bin(tokens, 1024);
        return frame(step, tokens, List.of(token(tokens)), bin, atlas,
                chosen(layer, head, end, anew ? 0 : tokens / mapBin));
    }

    private static int bin(int tokens, int side) {
        int bin = 1;
        while (tokens > side * bin) {
            bin *= 2;
        }
        return bin;
    }

    private Token token(int position) {
        String word = WORDS[position % WORDS.length];
        return new Token(position % WORDS.length, position % 21 == 17 ? "constantinople" : word);
    }

    private Frame frame(
            int step, int first, List<Token> tokens, int bin, List<AtlasBlock> atlas, ChosenHead chosen) {
        int heads = source.layers() * source.heads();
        float[] score = new float[heads];
        float[] entropy = new float[heads];
        for (int i = 0; i < heads; i++) {
            score[i] = (float) (-2 - 1.5 * noise(i, 1, 2) - 0.1 * noise(i, step, 3));
            entropy[i] = (float) (3 * noise(i, 4, 5));
        }
        return new Frame(0, State.RUNNING, "", step, first, tokens, source.layers(),
                Map.of("attention_score", score, "entropy", entropy), bin, atlas, Optional.of(chosen), 412, 640L << 20, 3);
    }

    private ChosenHead chosen(int layer, int head, int tokens, int firstRow) {
        int bin = bin(tokens, 1024);
        int cells = (tokens + bin - 1) / bin;
        float[] rows = new float[(cells - firstRow) * cells];
        pool(layer, head, tokens, bin, rows, 0, cells, firstRow);
        double[] eigenvalues = new double[tokens];
        for (int i = 0; i < tokens; i++) {
            eigenvalues[i] = 0.3 * noise(layer, head, i) * (1 - 2.0 * i / tokens) - (i > 0.95 * tokens ? 0.5 : 0);
        }
        return new ChosenHead(layer, head, bin, firstRow, cells, rows, ChosenHead.shown(eigenvalues), tokens);
    }

    /** Largest probability of each cell, from a row of cells on. */
    private void pool(int layer, int head, int tokens, int bin, float[] to, int at, int stride, int firstRow) {
        for (int query = firstRow * bin; query < tokens; query++) {
            double[] row = row(layer, head, query);
            for (int key = 0; key <= query; key++) {
                int cell = at + (query / bin - firstRow) * stride + key / bin;
                to[cell] = Math.max(to[cell], (float) row[key]);
            }
        }
    }

    private double[] row(int layer, int head, int query) {
        double[] row = new double[query + 1];
        int kind = (int) (5 * noise(layer, head, -1));
        double sum = 0;
        for (int key = 0; key <= query; key++) {
            double weight = 0.02 + 0.05 * noise(layer * 131 + head, query, key);
            weight += kind == 0 && key == query ? 3 : 0;
            weight += kind == 1 && key == query - 1 ? 4 : 0;
            weight += kind == 2 && key == 0 ? 2 : 0;
            weight += kind == 3 && (query - key) % WORDS.length == 6 ? 1 : 0;
            weight += kind == 4 ? 1.0 / (1 + query - key) : 0;
            row[key] = weight;
            sum += weight;
        }
        for (int key = 0; key <= query; key++) {
            row[key] /= sum;
        }
        return row;
    }

    /** From 0 to 1, the same for the same numbers (splitmix64, Steele et al. 2014). */
    private double noise(long a, long b, long c) {
        long z = seed + a * 0x9E3779B97F4A7C15L + b * 0xBF58476D1CE4E5B9L + c * 0x94D049BB133111EBL;
        z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return ((z ^ z >>> 31) >>> 11) * 0x1.0p-53;
    }
}
