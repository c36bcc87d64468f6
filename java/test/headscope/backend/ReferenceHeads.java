package headscope.backend;

import static headscope.backend.Reference.get;
import static headscope.backend.Reference.set;

import headscope.tensor.Tensor;
import java.util.Optional;

/** Splitting of joined projections, element by element, and its gradient with the whole Jacobian of the norm. */
final class ReferenceHeads {
    private final HeadTransform transform;
    private final Tensor joined;

    ReferenceHeads(HeadTransform transform, Tensor joined) {
        this.transform = transform;
        this.joined = joined;
    }

    /** q, k or v: its columns in the joined rows. */
    private record Part(long first, long width, Optional<Tensor> norm, boolean rotated) {}

    private Part[] parts(Projections shapes) {
        long width = shapes.q().size(1);
        long keyWidth = shapes.k().size(1);
        return new Part[] {
            new Part(0, width, transform.norm().map(HeadTransform.Norm::query), true),
            new Part(width, keyWidth, transform.norm().map(HeadTransform.Norm::key), true),
            new Part(width + keyWidth, keyWidth, Optional.empty(), false)
        };
    }

    void split(Projections to, Packing packing) {
        Part[] parts = parts(to);
        Optional<int[]> places = packing.pages().map(pages -> pages.newRows(packing));
        for (int row = 0; row < joined.size(0); row++) {
            int at = row;
            long place = places.map(rows -> rows[at]).orElse(row);
            write(to.q(), row, rotated(row, parts[0], normalised(row, parts[0]), 1));
            write(to.k(), place, rotated(row, parts[1], normalised(row, parts[1]), 1));
            write(to.v(), place, normalised(row, parts[2]));
        }
    }

    private static void write(Tensor to, long row, double[] values) {
        for (int i = 0; i < values.length; i++) {
            set(to, row * values.length + i, values[i]);
        }
    }

    private double x(int row, Part part, int column) {
        return get(joined, row * joined.size(1) + part.first() + column);
    }

    private double[] normalised(int row, Part part) {
        double[] values = new double[(int) part.width()];
        for (int i = 0; i < values.length; i++) {
            int column = i;
            values[i] = x(row, part, i) * part.norm().map(weight ->
                    get(weight, column % weight.size(0)) / deviation(row, part, column)).orElse(1.0);
        }
        return values;
    }

    private double deviation(int row, Part part, int column) {
        int width = part.norm().orElseThrow().intSize(0);
        double square = 0;
        for (int i = column / width * width; i < column / width * width + width; i++) {
            square += Math.pow(x(row, part, i), 2) / width;
        }
        return Math.sqrt(square + transform.norm().orElseThrow().epsilon());
    }

    /** @param direction 1, or -1 for the inverse rotation */
    private double[] rotated(int row, Part part, double[] values, int direction) {
        double[] turned = values.clone();
        if (transform.rotation().isEmpty() || !part.rotated()) {
            return turned;
        }
        Tensor cosine = transform.rotation().get().cosine();
        int half = cosine.intSize(1);
        for (int head = 0; head < values.length; head += transform.headDim()) {
            for (int j = 0; j < half; j++) {
                double c = get(cosine, (long) row * half + j);
                double s = direction * get(transform.rotation().get().sine(), (long) row * half + j);
                turned[head + j] = values[head + j] * c - values[head + j + half] * s;
                turned[head + j + half] = values[head + j + half] * c + values[head + j] * s;
            }
        }
        return turned;
    }

    void gradient(Tensor joinedGradient, Projections gradients) {
        Part[] parts = parts(gradients);
        Tensor[] received = {gradients.q(), gradients.k(), gradients.v()};
        for (int row = 0; row < joined.size(0); row++) {
            for (int part = 0; part < parts.length; part++) {
                double[] g = new double[(int) parts[part].width()];
                for (int i = 0; i < g.length; i++) {
                    g[i] = get(received[part], (long) row * g.length + i);
                }
                double[] passed = normGradient(row, parts[part], rotated(row, parts[part], g, -1));
                for (int i = 0; i < g.length; i++) {
                    set(joinedGradient, row * joined.size(1) + parts[part].first() + i, passed[i]);
                }
            }
        }
    }

    /** With the whole Jacobian w_j (delta_ij - y_i y_j / n) / deviation, where y is the normalised group. */
    private double[] normGradient(int row, Part part, double[] g) {
        if (part.norm().isEmpty()) {
            return g;
        }
        Tensor weight = part.norm().get();
        int width = weight.intSize(0);
        double[] passed = new double[g.length];
        for (int i = 0; i < g.length; i++) {
            double deviation = deviation(row, part, i);
            for (int j = i / width * width; j < i / width * width + width; j++) {
                double product = x(row, part, i) * x(row, part, j) / Math.pow(deviation, 2);
                passed[i] += g[j] * get(weight, j % width) * ((i == j ? 1 : 0) - product / width) / deviation;
            }
        }
        return passed;
    }
}
