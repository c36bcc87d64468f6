package headscope.selftest;

import headscope.backend.AtlasSpec;
import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSnapshot;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.HeadTransform;
import headscope.backend.Packing;
import headscope.backend.PageTable;
import headscope.backend.Projections;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Cases of attention, its statistics, metrics, maps and gradients. */
final class AttentionCases {
    private static final int HEADS = 4;
    private static final int LARGEST = 10;
    /** Side of pooled maps; no number of tokens is a multiple of it. */
    private static final int CELLS = 5;
    private static final int DECODED = 40;
    /** Tokens whose spectra need bands of different widths, see cuda/symmetric_band.cu. */
    private static final int[] BANDS = {500, 900};

    private static List<AttentionShape> variants(int headDim) {
        float scale = (float) (1 / Math.sqrt(headDim));
        return List.of(
                new AttentionShape("causal", HEADS, 4, headDim, true, 0, 0, scale, false),
                new AttentionShape("bidirectional", HEADS, 4, headDim, false, 0, 0, scale, false),
                new AttentionShape("grouped", HEADS, 2, headDim, true, 0, 0, scale, false),
                new AttentionShape("window", HEADS, 1, headDim, true, 19, 0, scale, false),
                new AttentionShape("soft cap", HEADS, 2, headDim, true, 0, 2, scale, false),
                new AttentionShape("sinks", HEADS, 2, headDim, true, 0, 0, scale, true));
    }

    private AttentionCases() {}

    /**
     * All variants at the first head width; at each other width, one variant per number of tokens; and spectra of longer texts.
     */
    static List<Case> all(DType operands, int[] headDims, int[] lengths) {
        List<Case> cases = new ArrayList<>();
        for (int headDim : headDims) {
            List<AttentionShape> variants = variants(headDim);
            for (int tokens : lengths) {
                List<AttentionShape> chosen = headDim == headDims[0]
                        ? variants
                        : List.of(variants.get((headDim / 8 + tokens) % variants.size()));
                chosen.forEach(shape -> cases.addAll(of(shape, tokens, operands)));
            }
        }
        for (int tokens : BANDS) {
            cases.add(spectrum(variants(headDims[0]).getFirst(), tokens, spectrumBound(headDims[0], tokens)));
        }
        return cases;
    }

    /** @param operands type of keys and values */
    static List<Case> of(AttentionShape shape, int tokens, DType operands) {
        // A score is a sum of headDim products of normal values; its error is an error of the exponent.
        double scores = scoresBound(shape.headDim(), tokens);
        // The product with the values rounds probabilities to the operands' type.
        double output = scores + switch (operands) {
            case BF16 -> 0x1p-7;
            case F16 -> 0x1p-10;
            default -> 0;
        };
        return List.of(
                output(shape, tokens, output),
                pages(shape, tokens, output),
                statistics(shape, tokens, scores),
                map(shape, tokens, scores),
                snapshot(shape, tokens, scores),
                spectrum(shape, tokens, spectrumBound(shape.headDim(), tokens)),
                gradient(shape, tokens, Math.max(8 * scores, output)));
    }

    private static double scoresBound(int headDim, int tokens) {
        return 16 * Case.rounding(headDim + tokens);
    }

    private static double spectrumBound(int headDim, int tokens) {
        return 4 * scoresBound(headDim, tokens);
    }

    private static Case of(String operation, AttentionShape shape, int tokens, double bound, Case.Work work) {
        String sizes = "%s, %d tokens, width %d".formatted(shape.name(), tokens, shape.headDim());
        return new Case(operation, sizes, tokens, bound, work);
    }

    private static Tensor queries(Operands on, AttentionShape shape, int tokens) {
        return on.normal(tokens, (long) shape.heads() * shape.headDim());
    }

    /** Keys or values. */
    private static Tensor keys(Operands on, AttentionShape shape, int tokens) {
        return on.operand(tokens, (long) shape.kvHeads() * shape.headDim());
    }

    /** In a causal text, the first half is prefilled and the rest is decoded token by token. */
    private static Case output(AttentionShape shape, int tokens, double bound) {
        return of("attention", shape, tokens, bound, Case.downloaded(on -> {
            AttentionSpec spec = shape.spec(on::normal);
            Tensor q = queries(on, shape, tokens);
            Tensor k = keys(on, shape, tokens);
            Tensor v = keys(on, shape, tokens);
            Tensor out = on.unwritten(q.shape());
            Optional<AttentionStatistics> statistics = Optional.of(on.tensors.statistics(shape.heads(), tokens));
            int prompt = shape.causal() ? Math.max((tokens + 1) / 2, tokens - DECODED) : tokens;
            on.backend.attention(
                    out.rows(0, prompt), q.rows(0, prompt), k.rows(0, prompt), v.rows(0, prompt),
                    Packing.of(prompt, prompt), spec, statistics);
            for (int row = prompt; row < tokens; row++) {
                on.backend.attention(
                        out.rows(row, 1), q.rows(row, 1), k.rows(0, row + 1), v.rows(0, row + 1),
                        Packing.of(1, row + 1), spec, statistics);
            }
            return new Tensor[] {out};
        }));
    }

    /** A causal text whose keys and values lie in pages that do not follow one another; the output is of the operands' type. */
    private static Case pages(AttentionShape shape, int tokens, double bound) {
        AttentionShape causal = new AttentionShape(
                shape.name(), shape.heads(), shape.kvHeads(), shape.headDim(), true, shape.window(), shape.softCap(),
                shape.scale(), shape.sinks());
        int pages = PageTable.count(tokens);
        return of("attention", shape, tokens, bound, Case.downloaded(on -> {
            long width = (long) shape.heads() * shape.headDim();
            long keyWidth = (long) shape.kvHeads() * shape.headDim();
            Tensor joined = on.normal(tokens, width + 2 * keyWidth);
            Projections parts = new Projections(
                    on.tensors.allocate(on.backend.operands(), tokens, width),
                    on.tensors.allocate(on.backend.operands(), (long) pages * PageTable.TOKENS, keyWidth),
                    on.tensors.allocate(on.backend.operands(), (long) pages * PageTable.TOKENS, keyWidth));
            Packing packing = Packing.paged(List.of(new Packing.Text(tokens, tokens, 0)),
                    List.of(IntStream.range(0, pages).map(page -> pages - 1 - page).toArray()));
            on.backend.splitHeads(parts, joined, HeadTransform.none(shape.headDim()), packing);
            Tensor rounded = on.tensors.allocate(on.backend.operands(), tokens, width);
            on.backend.attention(
                    rounded, parts.q(), parts.k(), parts.v(), packing, causal.spec(on::normal), Optional.empty());
            Tensor out = on.unwritten(tokens, width);
            on.backend.convert(out, rounded);
            return new Tensor[] {out};
        }));
    }

    /** Every statistic, and every metric computed from them. */
    private static Case statistics(AttentionShape shape, int tokens, double bound) {
        return of("attentionStatistics", shape, tokens, bound, on -> {
            AttentionSpec spec = shape.spec(on::normal);
            AttentionStatistics statistics = on.tensors.statistics(shape.heads(), tokens);
            on.backend.attentionStatistics(queries(on, shape, tokens), keys(on, shape, tokens),
                    Packing.whole(tokens), spec, statistics);
            List<float[]> results = new ArrayList<>();
            for (Tensor vector : List.of(statistics.logSumExp, statistics.logDiagonal, statistics.entropy, statistics.maximum, statistics.previous,
                    statistics.distance)) {
                results.add(on.backend.download(vector));
            }
            List<Metric> metrics = metrics(spec, tokens);
            LayerResult measured = on.backend.measure(metrics, statistics, spec).getFirst();
            metrics.forEach(metric -> results.add(flat(measured.of(metric))));
            return results;
        });
    }

    private static List<Metric> metrics(AttentionSpec spec, int tokens) {
        return Metric.all(LARGEST).stream()
                .filter(metric -> !(metric instanceof Metric.Symmetric) && (spec.causal() || !metric.causalOnly()))
                // The Laplacian eigenvalue of one token is 0 up to rounding: there is no relative error.
                .filter(metric -> !(metric instanceof Metric.LaplacianEigenvalues) || tokens > 1)
                .toList();
    }

    private static Case map(AttentionShape shape, int tokens, double bound) {
        return of("attentionMap", shape, tokens, bound, Case.downloaded(on -> {
            AttentionSpec spec = shape.spec(on::normal);
            Tensor map = on.unwritten(tokens, tokens);
            on.backend.attentionMap(
                    map, queries(on, shape, tokens), keys(on, shape, tokens), spec, shape.heads() - 1);
            return new Tensor[] {map};
        }));
    }

    /** In a causal text, the last half, but at most {@value #DECODED} tokens, is added token by token. */
    private static Case snapshot(AttentionShape shape, int tokens, double bound) {
        return of("snapshot", shape, tokens, bound, on -> {
            AttentionSpec spec = shape.spec(on::normal);
            Tensor q = queries(on, shape, tokens);
            Tensor k = keys(on, shape, tokens);
            List<float[]> results = new ArrayList<>();
            for (AtlasSpec.Pooling pooling : AtlasSpec.Pooling.values()) {
                AttentionStatistics statistics = on.tensors.statistics(
                        shape.heads(), tokens, Optional.of(new AtlasSpec(CELLS, pooling)));
                int prompt = shape.causal() ? Math.max((tokens + 1) / 2, tokens - DECODED) : tokens;
                on.backend.attentionStatistics(q.rows(0, prompt), k.rows(0, prompt),
                        Packing.of(prompt, prompt), spec, statistics);
                for (int row = prompt; row < tokens; row++) {
                    on.backend.attentionStatistics(q.rows(row, 1), k.rows(0, row + 1),
                            Packing.of(1, row + 1), spec, statistics);
                }
                Metric entropy = new Metric.Entropy();
                AttentionSnapshot snapshot = on.backend.snapshot(
                        new AttentionSnapshot.Request(List.of(entropy), Optional.of(0), Optional.of(shape.heads() - 1)),
                        statistics, spec);
                AttentionSnapshot.HeadVectors head = snapshot.head().orElseThrow();
                results.addAll(List.of(flat(snapshot.metrics().of(entropy)), snapshot.cells(), head.row(),
                        flat(new double[][] {head.columnSum()}), head.logDiagonal()));
            }
            return results;
        });
    }

    /** Compares 1 - eigenvalue, whose maximum is 1: the eigenvalue of one token is 0 up to rounding. */
    private static Case spectrum(AttentionShape shape, int tokens, double bound) {
        return of("symmetricSpectrum", shape, tokens, bound, on -> {
            AttentionSpec spec = shape.spec(on::normal);
            float[] values = flat(on.backend.symmetricSpectrum(
                    queries(on, shape, tokens), keys(on, shape, tokens), Packing.whole(tokens), spec).getFirst());
            for (int i = 0; i < values.length; i++) {
                values[i] = 1 - values[i];
            }
            return List.of(values);
        });
    }

    private static Case gradient(AttentionShape shape, int tokens, double bound) {
        return of("attention's gradient", shape, tokens, bound, Case.downloaded(on -> {
            AttentionSpec spec = shape.spec(on::normal);
            Tensor q = queries(on, shape, tokens);
            Tensor k = keys(on, shape, tokens);
            Tensor v = keys(on, shape, tokens);
            Tensor out = on.unwritten(q.shape());
            Tensor logSumExp = on.unwritten(shape.heads(), tokens);
            on.backend.attention(out, logSumExp, q, k, v, Packing.of(q.intSize(0), k.intSize(0)), spec);
            Tensor qGradient = on.unwritten(q.shape());
            Tensor kGradient = on.unwritten(k.shape());
            Tensor vGradient = on.unwritten(k.shape());
            int[] groups = IntStream.range(0, tokens).map(token -> token % 3 - 1).toArray();
            AttentionSaliency saliency = on.tensors.saliency(shape.heads(), tokens,
                    new AttentionSaliency.Request(groups, 1, Math.min(tokens, CELLS), List.of(shape.heads() - 1)));
            on.backend.gradients().attention(
                    qGradient, kGradient, vGradient, queries(on, shape, tokens), out, logSumExp, q, k, v,
                    Packing.of(q.intSize(0), k.intSize(0)), spec, List.of(Optional.of(saliency)));
            List<Tensor> results = new ArrayList<>(List.of(
                    vGradient, saliency.signed, saliency.rows, saliency.columns, saliency.maximum, saliency.groups,
                    saliency.pooledMaximum, saliency.pooledMean, saliency.maps));
            if (tokens > 1) { // gradients of a softmax over one score are 0 up to rounding
                results.addAll(List.of(qGradient, kGradient));
            }
            return results.toArray(Tensor[]::new);
        }));
    }

    private static float[] flat(double[][] values) {
        double[] all = Arrays.stream(values).flatMapToDouble(Arrays::stream).toArray();
        float[] flat = new float[all.length];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = (float) all[i];
        }
        return flat;
    }
}
