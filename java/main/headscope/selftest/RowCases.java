package headscope.selftest;

import headscope.backend.Activation;
import headscope.backend.Backend;
import headscope.backend.Gradients;
import headscope.backend.HeadTransform;
import headscope.backend.Packing;
import headscope.backend.PageTable;
import headscope.backend.Projections;
import headscope.backend.RowRanges;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Cases of the operations on rows and elements, and of their gradients. */
final class RowCases {
    private static final int[][] SHAPES = {{1, 1}, {3, 33}, {65, 64}, {31, 257}, {129, 1000}};

    /** Rows, inputs and outputs of products: few rows, as of decoded tokens, with narrow and wide weights. */
    private static final int[][] PRODUCTS = {{5, 96, 50}, {16, 768, 130}, {64, 72, 4300}};

    private static final float EPSILON = 1e-5f;

    private RowCases() {}

    /** @param product error bound of a matrix product in the precision of the device's products */
    static List<Case> all(double product) {
        List<Case> cases = new ArrayList<>();
        for (int[] shape : SHAPES) {
            int rows = shape[0];
            int width = shape[1];
            products(cases, rows, width, Math.max(product, Case.rounding(width)));
            norms(cases, rows, width);
            elements(cases, rows, width);
            heads(cases, rows, width);
            mixture(cases, rows, width);
            words(cases, rows, width);
            training(cases, rows, width);
        }
        for (int[] shape : PRODUCTS) {
            cases.add(linear(shape[0], shape[1], shape[2], Math.max(product, Case.rounding(shape[1]))));
        }
        return cases;
    }

    private static void products(List<Case> cases, int rows, int width, double bound) {
        int out = 2 * width + 1;
        cases.add(Case.of("embed", 0, on -> {
            Tensor table = on.operand(50, width);
            Tensor to = on.unwritten(rows, width);
            int[] ids = new int[rows];
            for (int i = 0; i < rows; i++) {
                ids[i] = on.below(50);
            }
            on.backend.embed(to, table, ids);
            return new Tensor[] {to};
        }, rows, width));
        cases.add(linear(rows, width, out, bound));
        cases.add(Case.of("linear's gradient", 2 * bound, on -> {
            Tensor to = on.unwritten(rows, width);
            on.backend.gradients().linear(to, on.normal(rows, out), on.operand(out, width));
            return new Tensor[] {to};
        }, rows, width, out));
        cases.add(Case.of("linear's weight gradient", Math.max(bound, Case.rounding(rows)), on -> {
            Tensor weight = on.unwritten(out, width);
            Tensor bias = on.unwritten(out);
            Tensor gradient = on.normal(rows, out);
            on.backend.gradients().linearWeight(weight, gradient, on.normal(rows, width));
            on.backend.gradients().linearBias(bias, gradient);
            return new Tensor[] {weight, bias};
        }, rows, width, out));
    }

    private static Case linear(int rows, int width, int out, double bound) {
        return Case.of("linear", bound, on -> {
            Tensor to = on.unwritten(rows, out);
            Tensor x = on.normal(rows, width);
            Tensor weight = on.operand(out, width);
            Tensor sum = on.normal(rows, out);
            on.backend.linear(to, x, weight, Optional.of(on.normal(out)));
            on.backend.linearAdd(sum, x, weight, Optional.empty(), on.unwritten(rows, out));
            return new Tensor[] {to, sum};
        }, rows, width, out);
    }

    private static void norms(List<Case> cases, int rows, int width) {
        double bound = 8 * Case.rounding(width);
        cases.add(Case.of("layerNorm", bound, on -> {
            Tensor x = on.normal(rows, width);
            Tensor weight = on.normal(width);
            Tensor to = on.unwritten(rows, width);
            Tensor back = on.unwritten(rows, width);
            on.backend.layerNorm(to, x, weight, on.normal(width), EPSILON);
            on.backend.gradients().layerNorm(back, on.normal(rows, width), x, weight, EPSILON);
            return width == 1 ? new Tensor[] {to} : new Tensor[] {to, back}; // the gradient of one element is 0 up to rounding
        }, rows, width));
        cases.add(Case.of("rmsNorm", bound, on -> {
            Tensor x = on.normal(rows, width);
            Tensor weight = on.normal(width);
            Tensor to = on.unwritten(rows, width);
            Tensor back = on.unwritten(rows, width);
            on.backend.rmsNorm(to, x, weight, EPSILON);
            on.backend.gradients().rmsNorm(back, on.normal(rows, width), x, weight, EPSILON);
            return width == 1 ? new Tensor[] {to} : new Tensor[] {to, back};
        }, rows, width));
    }

    private static void elements(List<Case> cases, int rows, int width) {
        for (Activation f : Activation.values()) {
            cases.add(Case.of("activate " + f, Case.rounding(64), on -> {
                Tensor x = on.normal(rows, width);
                Tensor back = on.normal(rows, width);
                on.backend.gradients().activate(back, x, f);
                on.backend.activate(x, x, f);
                return new Tensor[] {x, back};
            }, rows, width));
            cases.add(Case.of("gate " + f, Case.rounding(64), on -> {
                Tensor gateUp = on.normal(rows, 2L * width);
                Tensor back = on.unwritten(rows, 2L * width);
                Tensor to = on.unwritten(rows, width);
                on.backend.gradients().gate(back, on.normal(rows, width), gateUp, f);
                on.backend.gate(to, gateUp, f);
                return new Tensor[] {to, back};
            }, rows, width));
        }
        cases.add(Case.of("add, addRow, multiply, scale", 0, on -> {
            Tensor x = on.normal(rows, width);
            on.backend.add(x, on.normal(rows, width));
            on.backend.addRow(x, on.normal(width));
            on.backend.multiply(x, on.normal(rows, width));
            on.backend.scale(x, 1.25f);
            return new Tensor[] {x};
        }, rows, width));
        cases.add(Case.of("softCap", Case.rounding(64), on -> {
            Tensor x = on.normal(rows, width);
            Tensor back = on.normal(rows, width);
            on.backend.softCap(x, 1.5f);
            on.backend.gradients().softCap(back, x, 1.5f);
            return new Tensor[] {x, back};
        }, rows, width));
        cases.add(Case.of("convert", 0, on -> {
            Tensor from = on.operand(rows, width);
            Tensor to = on.unwritten(rows, width);
            on.backend.convert(to, from);
            return new Tensor[] {to};
        }, rows, width));
    }

    private static void heads(List<Case> cases, int rows, int width) {
        int heads = 4;
        for (boolean allHeads : new boolean[] {false, true}) {
            cases.add(Case.of("splitHeads" + (allHeads ? ", norm of all heads" : ""), 64 * Case.rounding(8 * width),
                    on -> splitHeads(on, rows, heads, width, allHeads), rows, heads, 2 * width));
        }
        cases.add(Case.of("scaleHeads", 4 * Case.rounding(rows * width), on -> {
            Tensor x = on.normal(rows, (long) heads * width);
            Tensor back = on.unwritten(2, heads);
            RowRanges halves = new RowRanges(new int[] {0, rows / 2}, new int[] {rows / 2, rows});
            on.backend.gradients().scaleHeads(back, x, x, halves);
            on.backend.scaleHeads(x, on.normal(2, heads), halves);
            return new Tensor[] {x, back};
        }, rows, heads, width));
    }

    /** Heads of 2 * width elements, with keys and values in pages in descending order. */
    private static Tensor[] splitHeads(Operands on, int rows, int heads, int width, boolean allHeads) {
        Backend backend = on.backend;
        int kvHeads = 2;
        int headDim = 2 * width;
        int pages = PageTable.count(rows);
        HeadTransform transform = new HeadTransform(headDim,
                Optional.of(new HeadTransform.Norm(
                        on.normal(allHeads ? heads * headDim : headDim), on.normal(allHeads ? kvHeads * headDim : headDim), EPSILON)),
                Optional.of(new HeadTransform.Rotation(on.normal(rows, width), on.normal(rows, width))));
        Tensor joined = on.normal(rows, (long) (heads + 2 * kvHeads) * headDim);
        Projections to = new Projections(
                on.tensors.allocate(DType.F32, rows, (long) heads * headDim),
                on.tensors.allocate(DType.F32, (long) pages * PageTable.TOKENS, (long) kvHeads * headDim),
                on.tensors.allocate(DType.F32, (long) pages * PageTable.TOKENS, (long) kvHeads * headDim));
        backend.splitHeads(to, joined, transform, Packing.paged(List.of(new Packing.Text(rows, rows, 0)),
                List.of(IntStream.range(0, pages).map(page -> pages - 1 - page).toArray())));
        Tensor back = on.unwritten(joined.shape());
        backend.gradients().splitHeads(back, new Projections(
                on.normal(rows, (long) heads * headDim), on.normal(rows, (long) kvHeads * headDim),
                on.normal(rows, (long) kvHeads * headDim)), joined, transform);
        return new Tensor[] {to.q(), to.k(), to.v(), back};
    }

    private static void mixture(List<Case> cases, int rows, int width) {
        int experts = 7;
        cases.add(Case.of("route, addShare", Case.rounding(width + experts), on -> {
            Backend backend = on.backend;
            Tensor shares = on.normal(rows, experts);
            Tensor x = on.normal(rows, width);
            Tensor y = on.normal(rows, width);
            Tensor yBack = on.unwritten(rows, width);
            Tensor shareBack = on.normal(rows, experts);
            backend.route(shares, 3);
            backend.gradients().addShare(yBack, shareBack, x, y, shares, 2);
            backend.gradients().route(shareBack, shares);
            backend.addShare(x, y, shares, 2);
            return new Tensor[] {shares, x, yBack, shareBack};
        }, rows, width, experts));
    }

    private static void words(List<Case> cases, int rows, int width) {
        cases.add(new Case("argmax", rows + " x " + width, rows, 0,
                on -> List.of(floats(on.backend.argmax(on.normal(rows, width))))));
        cases.add(new Case("draw", rows + " x " + width, rows, 0, on -> {
            double[] marks = new double[rows];
            for (int row = 0; row < rows; row++) {
                marks[row] = (on.below(1000) + 0.5) / 1000;
            }
            return List.of(floats(on.backend.draw(on.normal(rows, width), 0.7, 0.9, marks)));
        }));
    }

    private static float[] floats(int[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = values[i];
        }
        return floats;
    }

    private static void training(List<Case> cases, int rows, int width) {
        cases.add(new Case("crossEntropy", rows + " x " + width, rows, Case.rounding(width), on -> {
            Tensor logits = on.normal(rows, width);
            int[] targets = new int[rows];
            float[] factors = new float[rows];
            for (int i = 0; i < rows; i++) {
                targets[i] = on.below(width);
                factors[i] = 1 + i;
            }
            float[] losses = on.backend.gradients().crossEntropy(logits, targets, factors);
            return List.of(losses, on.backend.download(logits));
        }));
        cases.add(Case.of("embed's gradient", 0, on -> {
            Tensor to = on.unwritten(2L * rows, width);
            int[] ids = new int[rows];
            for (int i = 0; i < rows; i++) {
                ids[i] = 2 * i + on.below(2);
            }
            on.backend.gradients().embed(to, on.normal(rows, width), ids);
            return new Tensor[] {to};
        }, rows, width));
        cases.add(Case.of("adamW", Case.rounding(16), on -> {
            Tensor parameter = on.normal(rows, width);
            Tensor m = on.normal(rows, width);
            Tensor v = on.normal(rows, width);
            on.backend.multiply(v, v);
            on.backend.gradients().adamW(parameter, on.normal(rows, width), m, v,
                    new Gradients.AdamW(1e-2f, 0.9f, 0.999f, 1e-8f, 1e-2f), 3);
            return new Tensor[] {parameter, m, v};
        }, rows, width));
    }
}
