package headscope.render;

import headscope.figure.CurvesFigure;
import headscope.figure.Figure;
import headscope.figure.FunctionsFigure;
import headscope.figure.GatesFigure;
import headscope.figure.RooflineFigure;
import headscope.figure.SaliencyFigure;
import headscope.result.HeadMap;
import headscope.result.TokenGroup;
import headscope.result.TokenMap;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Synthetic figures of every kind except spectra, by name. */
public final class SampleFigures {
    /** The names that {@link #of} accepts; each has a golden image. */
    public static final List<String> NAMES = List.of("saliency-12", "saliency-32", "saliency-thumbnails", "functions-12",
            "functions-32", "functions-5", "gates-28", "gates-12", "curves", "roofline");

    private static final List<String> FUNCTIONS = List.of("Knowledge Recall", "Retrieval", "Logical Reasoning",
            "Decision-making", "Semantic Understanding", "Syntactic Understanding", "Inference", "Math Calculation");
    private static final List<String> SENTENCE = List.of("<CHI>", "\u0120painted", "\u0120a", "\u0120picture",
            "\u0120of", "\u0120a", "\u0120horse", "\u0120<CHI>", "\u0120my", "\u0120favorite", "\u0120animal",
            "\u0120is", "\u0120the");
    private static final List<String> WORDS = List.of("\u2581the", "\u2581лошадь", "\u2581ίππος", "\u2581حصان",
            "\u2581סוס", "\u2581forty", "-", "two", "\u2581Donaudampfschifffahrtsgesellschaftskapitän", "\u2581",
            "\n", "\u2581\u0541\u056B", "\u2581\u10EA\u10EE\u10D4\u10DC\u10D8", "\u2581ngựa", ",");

    private SampleFigures() {}

    public static Figure of(String name) {
        return switch (name) {
            case "saliency-12" -> saliency(12, 12, sentence(), false, false);
            case "saliency-32" -> saliency(32, 32, text(200), false, false);
            case "saliency-thumbnails" -> saliency(12, 12, text(40), true, true);
            case "functions-12" -> functions(8, 12, 12, 0.02);
            case "functions-32" -> functions(8, 32, 32, 0.004);
            case "functions-5" -> functions(5, 12, 12, 0.004);
            case "gates-28" -> gates(28, 24);
            case "gates-12" -> gates(12, 12);
            case "curves" -> curves();
            case "roofline" -> roofline(14);
            default -> throw new IllegalArgumentException("no sample " + name + "; there are " + NAMES);
        };
    }

    /** One head has a large value, and one pair of tokens in its map. */
    public static Figure saliency(int layers, int heads, TokenMap map, boolean thumbnails, boolean transpose) {
        int layer = layers * 7 / 12 - 1;
        int head = heads * 8 / 12 - 1;
        Random random = new Random(7);
        SaliencyFigure.Overview overview;
        if (thumbnails) {
            int side = 8;
            float[] values = new float[layers * heads * side * side];
            for (int i = 0; i < values.length; i++) {
                boolean causal = i / side % side >= i % side;
                values[i] = causal ? 0.25f * (float) Math.pow(random.nextFloat(), 9) : 0;
            }
            overview = new SaliencyFigure.Overview.Thumbnails(layers, heads, side, values);
        } else {
            float[] values = new float[layers * heads];
            for (int i = 0; i < values.length; i++) {
                values[i] = 0.08f * (float) Math.pow(random.nextFloat(), 4);
            }
            values[layer * heads + head] = 0.27f;
            overview = new SaliencyFigure.Overview.Values(new HeadMap("", map.unit(), layers, heads, values));
        }
        return SaliencyFigure.of(overview, layer, head, map, transpose, "Made-up numbers: |A * dL/dA| of the loss at "
                + "predicting the next token; in the grid the largest of each head's map. Layers and heads are counted "
                + "from 1.");
    }

    public static TokenMap sentence() {
        return map(SENTENCE, List.of(new TokenGroup("<ENV>", 0, 7), new TokenGroup("<LAN>", 7, 13)));
    }

    /** Words in many scripts, in three groups. */
    public static TokenMap text(int tokens) {
        List<String> words = IntStream.range(0, tokens).mapToObj(i -> WORDS.get(i % WORDS.size())).toList();
        return map(words, List.of(new TokenGroup("<ENV>", 0, tokens * 3 / 5),
                new TokenGroup("a name longer than its bracket", tokens * 3 / 5, tokens * 7 / 10),
                new TokenGroup("<LAN>", tokens * 4 / 5, tokens)));
    }

    public static TokenMap map(List<String> tokens, List<TokenGroup> groups) {
        Random random = new Random(3);
        int count = tokens.size();
        float[] values = new float[count * count];
        for (int row = 0; row < count; row++) {
            for (int column = 0; column <= row; column++) {
                values[row * count + column] = 0.06f * (float) Math.pow(random.nextFloat(), 8);
            }
        }
        values[count * count - count + count / 2] = 0.27f;
        values[count * (count / 2) + count / 4] = 0.12f;
        return new TokenMap("Layer 7, head 8", "saliency", tokens, groups, values);
    }

    public static Figure functions(int count, int layers, int heads, double top) {
        List<HeadMap> maps = IntStream.range(0, count)
                .mapToObj(i -> {
                    Random random = new Random(i);
                    float[] values = new float[layers * heads];
                    for (int cell = 0; cell < values.length; cell++) {
                        double usual = 0.3 * top * random.nextDouble();
                        values[cell] = (float) (random.nextInt(20) == 0 ? 1.3 * top * random.nextDouble() : usual);
                    }
                    return new HeadMap(FUNCTIONS.get(i), "importance", layers, heads, values);
                })
                .toList();
        return FunctionsFigure.of(maps, top, "Made-up numbers: what each head adds to the logit of a function, mean over "
                + "the texts of the test split that have it.");
    }

    public static Figure gates(int layers, int heads) {
        List<HeadMap> maps = new ArrayList<>();
        for (String title : List.of("Math (Always)", "Math (Any)", "Syntax (Always)", "Syntax (Any)")) {
            Random random = new Random(title.hashCode());
            float[] values = new float[layers * heads];
            for (int i = 0; i < values.length; i++) {
                double middle = Math.exp(-Math.pow(4.0 * (i / heads) / layers - 2, 2));
                double score = title.endsWith("(Any)") ? Math.sqrt(random.nextDouble()) : random.nextDouble() * middle;
                values[i] = (float) Math.min(1, 1.2 * score);
            }
            maps.add(new HeadMap(title, "", layers, heads, values));
        }
        return GatesFigure.of(maps, "Made-up numbers: facilitation, smallest (Always) and largest (Any) of 10 seeds.");
    }

    /** Two passes; the shares of the kernels fall by a quarter from one to the next, and many have similar rates. */
    public static Figure roofline(int kernels) {
        List<String> names = List.of("linear 8192 x 2048", "attention_forward_bf16_d64", "linear 2048 x 8192",
                "attention_columns_bf16_d64", "linear 2048 x 2048", "convert_bf16_f32", "gate_silu_f32", "rms_norm_f32", "add_f32",
                "rotate_f32", "linear 512 x 2048");
        double total = IntStream.range(0, kernels).mapToDouble(i -> Math.pow(0.75, i)).sum();
        List<RooflineFigure.Pass> passes = new ArrayList<>();
        for (double intensity : new double[] {600, 0.9}) {
            Random random = new Random(5);
            passes.add(new RooflineFigure.Pass(intensity > 1 ? "prefill of 2,048 tokens: 12.3 ms" : "decoding of token 2,048: 1.2 ms",
                    IntStream.range(0, kernels).mapToObj(i -> {
                        String name = i < names.size() ? names.get(i) : "kernel " + i;
                        double operations = intensity / Math.pow(name.startsWith("linear") || name.startsWith("attention") ? 1.3 : 2, i);
                        double roof = Math.min(746, 2.378 * operations);
                        return new RooflineFigure.Kernel(name, name.startsWith("convert") ? 0 : operations,
                                roof * (0.3 + 0.6 * random.nextDouble()), Math.pow(0.75, i) / total);
                    }).toList()));
        }
        return RooflineFigure.of(passes, 746, 2378, "Made-up numbers: a model of one billion parameters with all statistics.");
    }

    public static Figure curves() {
        List<CurvesFigure.Curve> curves = new ArrayList<>();
        List<String> labels = List.of("highest gates first", "lowest gates first", "random");
        for (int c = 0; c < labels.size(); c++) {
            double bend = new double[] {0.25, 4, 1}[c];
            int points = c == 2 ? 145 : 25;
            double[] x = IntStream.range(0, points).mapToDouble(i -> 144.0 * i / (points - 1)).toArray();
            double[] y = IntStream.range(0, points)
                    .mapToDouble(i -> -6.4 + 5.1 * Math.pow((double) i / (points - 1), bend))
                    .toArray();
            curves.add(new CurvesFigure.Curve(labels.get(c), x, y));
        }
        return CurvesFigure.of(curves, "number of open heads", "log probability of the target",
                "Made-up numbers: heads opened one after the other, all others shut.");
    }
}
