package headscope.backend;

import static headscope.backend.Reference.activation;
import static headscope.backend.Reference.doubles;
import static headscope.backend.Reference.get;
import static headscope.backend.Reference.set;

import headscope.tensor.Tensor;
import java.util.List;
import java.util.Optional;
import org.apache.commons.numbers.gamma.Erfc;

/** Gradients of the operations of {@link Reference}, in plain loops in double; attention stores whole maps. */
final class ReferenceGradients implements Gradients {
    @Override
    public void linear(Tensor destination, Tensor gradient, Tensor weight) {
        int out = weight.intSize(0);
        int in = weight.intSize(1);
        double[] g = doubles(gradient);
        double[] weights = doubles(weight);
        for (int token = 0; token < gradient.size(0); token++) {
            for (int i = 0; i < in; i++) {
                double sum = 0;
                for (int j = 0; j < out; j++) {
                    sum += g[token * out + j] * weights[j * in + i];
                }
                set(destination, (long) token * in + i, sum);
            }
        }
    }

    @Override
    public void linearWeight(Tensor destination, Tensor gradient, Tensor x) {
        int out = gradient.intSize(1);
        int in = x.intSize(1);
        double[] g = doubles(gradient);
        double[] inputs = doubles(x);
        for (int j = 0; j < out; j++) {
            for (int i = 0; i < in; i++) {
                double sum = 0;
                for (int token = 0; token < x.size(0); token++) {
                    sum += g[token * out + j] * inputs[token * in + i];
                }
                set(destination, (long) j * in + i, sum);
            }
        }
    }

    @Override
    public void linearBias(Tensor destination, Tensor gradient) {
        for (long j = 0; j < gradient.size(1); j++) {
            double sum = 0;
            for (long token = 0; token < gradient.size(0); token++) {
                sum += get(gradient, token * gradient.size(1) + j);
            }
            set(destination, j, sum);
        }
    }

    @Override
    public void layerNorm(Tensor destination, Tensor gradient, Tensor x, Tensor weight, float epsilon) {
        norm(destination, gradient, x, weight, epsilon, true);
    }

    @Override
    public void rmsNorm(Tensor destination, Tensor gradient, Tensor x, Tensor weight, float epsilon) {
        norm(destination, gradient, x, weight, epsilon, false);
    }

    /** With the whole Jacobian w_j (delta_ij - [1 / n] - y_i y_j / n) / deviation, where y is the normalised row. */
    private static void norm(
            Tensor destination, Tensor gradient, Tensor x, Tensor weight, float epsilon, boolean centred) {
        int width = weight.intSize(0);
        double[] inputs = doubles(x);
        double[] g = doubles(gradient);
        double[] weights = doubles(weight);
        for (int row = 0; row < inputs.length / width; row++) {
            int first = row * width;
            double mean = 0;
            for (int j = 0; j < width && centred; j++) {
                mean += inputs[first + j] / width;
            }
            double square = 0;
            for (int j = 0; j < width; j++) {
                square += Math.pow(inputs[first + j] - mean, 2) / width;
            }
            double deviation = Math.sqrt(square + epsilon);
            for (int i = 0; i < width; i++) {
                double sum = 0;
                for (int j = 0; j < width; j++) {
                    double product = (inputs[first + i] - mean) * (inputs[first + j] - mean) / (square + epsilon);
                    double slope = (i == j ? 1 : 0) - (centred ? 1.0 / width : 0) - product / width;
                    sum += g[first + j] * weights[j] * slope / deviation;
                }
                set(destination, (long) first + i, sum);
            }
        }
    }

    @Override
    public void splitHeads(Tensor joinedGradient, Projections gradients, Tensor joined, HeadTransform transform) {
        new ReferenceHeads(transform, joined).gradient(joinedGradient, gradients);
    }

    private static double slope(double x, Activation f) {
        return switch (f) {
            case GELU -> Erfc.value(-x / Math.sqrt(2)) / 2 + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
            case GELU_TANH -> {
                double c = Math.sqrt(2 / Math.PI);
                double tanh = Math.tanh(c * (x + 0.044715 * x * x * x));
                yield (1 + tanh) / 2 + x / 2 * (1 - tanh * tanh) * c * (1 + 3 * 0.044715 * x * x);
            }
            case SILU -> sigmoid(x) + x * sigmoid(x) * sigmoid(-x);
            case QUICK_GELU -> sigmoid(1.702 * x) + 1.702 * x * sigmoid(1.702 * x) * sigmoid(-1.702 * x);
            case CLAMPED_SILU ->
                x > 7 ? 0 : sigmoid(1.702 * x) + 1.702 * x * sigmoid(1.702 * x) * sigmoid(-1.702 * x);
            case RELU -> x > 0 ? 1 : 0;
        };
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    @Override
    public void activate(Tensor gradient, Tensor x, Activation f) {
        for (long i = 0; i < x.count(); i++) {
            set(gradient, i, get(gradient, i) * slope(get(x, i), f));
        }
    }

    @Override
    public void gate(
            Tensor gateUpGradient, Tensor gradient, Tensor gateUp, Activation f) {
        boolean clamped = f == Activation.CLAMPED_SILU;
        long width = gradient.size(1);
        for (long i = 0; i < gradient.count(); i++) {
            long at = i / width * 2 * width + i % width;
            double g = get(gradient, i);
            double gate = get(gateUp, at);
            double up = get(gateUp, at + width);
            set(gateUpGradient, at, g * (clamped ? Math.clamp(up, -7, 7) + 1 : up) * slope(gate, f));
            set(gateUpGradient, at + width, clamped && Math.abs(up) > 7 ? 0 : g * activation(gate, f));
        }
    }

    @Override
    public void softCap(Tensor gradient, Tensor capped, float cap) {
        for (long i = 0; i < capped.count(); i++) {
            set(gradient, i, get(gradient, i) * (1 - Math.pow(get(capped, i) / cap, 2)));
        }
    }

    @Override
    public void route(Tensor gradient, Tensor shares) {
        long experts = shares.size(1);
        for (int token = 0; token < shares.size(0); token++) {
            double[] g = doubles(gradient.rows(token, 1));
            double[] share = doubles(shares.rows(token, 1));
            for (int e = 0; e < experts; e++) {
                double sum = 0;
                for (int other = 0; other < experts; other++) {
                    sum += g[other] * share[other] * ((e == other ? 1 : 0) - share[e]);
                }
                set(gradient, token * experts + e, sum);
            }
        }
    }

    @Override
    public void addShare(
            Tensor yGradient, Tensor shareGradient, Tensor gradient, Tensor y, Tensor shares, int column) {
        for (long token = 0; token < y.size(0); token++) {
            long at = token * shares.size(1) + column;
            double dot = 0;
            for (long i = token * y.size(1); i < (token + 1) * y.size(1); i++) {
                dot += get(gradient, i) * get(y, i);
                set(yGradient, i, get(shares, at) * get(gradient, i));
            }
            set(shareGradient, at, dot);
        }
    }

    @Override
    public void embed(Tensor destination, Tensor gradient, int[] ids) {
        long width = destination.size(1);
        for (long i = 0; i < destination.count(); i++) {
            set(destination, i, 0);
        }
        for (int i = 0; i < ids.length; i++) {
            for (int j = 0; j < width; j++) {
                set(destination, ids[i] * width + j, get(gradient, i * width + j));
            }
        }
    }

    @Override
    public void scaleHeads(Tensor destination, Tensor gradient, Tensor x, RowRanges ranges) {
        int heads = destination.intSize(1);
        long headDim = x.size(1) / heads;
        for (int range = 0; range < ranges.count(); range++) {
            double[] sums = new double[heads];
            for (long i = ranges.first(range) * x.size(1); i < ranges.end(range) * x.size(1); i++) {
                sums[(int) (i / headDim % heads)] += get(gradient, i) * get(x, i);
            }
            for (int head = 0; head < heads; head++) {
                set(destination, range * heads + head, sums[head]);
            }
        }
    }

    @Override
    public void attention(
            Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor gradient, Tensor out, Tensor logSumExp,
            Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec,
            List<Optional<AttentionSaliency>> saliency) {
        for (int i = 0; i < packing.count(); i++) {
            TextRows text = new TextRows(packing, i);
            attention(text.queries(qGradient), text.keys(kGradient), text.keys(vGradient), text.queries(gradient),
                    text.queries(q), text.keys(k), text.keys(v), spec, saliency.get(i));
        }
    }

    private static void attention(
            Tensor qGradient, Tensor kGradient, Tensor vGradient, Tensor gradient, Tensor q, Tensor k, Tensor v,
            AttentionSpec spec, Optional<AttentionSaliency> saliency) {
        int headDim = spec.headDim();
        double[] g = doubles(gradient);
        double[] queries = doubles(q);
        double[] keys = doubles(k);
        double[] values = doubles(v);
        double[] dq = new double[queries.length];
        double[] dk = new double[keys.length];
        double[] dv = new double[values.length];
        for (int head = 0; head < spec.heads(); head++) {
            double[][] scores = ReferenceAttention.scores(q, k, spec, head);
            double[][] map = ReferenceAttention.map(q, k, spec, head);
            double[][] product = new double[map.length][k.intSize(0)];
            for (int i = 0; i < map.length; i++) {
                int row = (i * spec.heads() + head) * headDim;
                double[] probGradient = new double[map[i].length];
                double mean = 0;
                for (int j = 0; j < map[i].length; j++) {
                    int column = (j * spec.kvHeads() + spec.kvHead(head)) * headDim;
                    for (int d = 0; d < headDim; d++) {
                        probGradient[j] += g[row + d] * values[column + d];
                        dv[column + d] += map[i][j] * g[row + d];
                    }
                    product[i][j] = map[i][j] * probGradient[j];
                    mean += product[i][j];
                }
                for (int j = 0; j < map[i].length; j++) {
                    int column = (j * spec.kvHeads() + spec.kvHead(head)) * headDim;
                    double slope = spec.softCap() > 0 ? 1 - Math.pow(scores[i][j] / spec.softCap(), 2) : 1;
                    double scoreGradient = map[i][j] == 0
                            ? 0
                            : map[i][j] * (probGradient[j] - mean) * slope * spec.scale();
                    for (int d = 0; d < headDim; d++) {
                        dq[row + d] += scoreGradient * keys[column + d];
                        dk[column + d] += scoreGradient * queries[row + d];
                    }
                }
            }
            int at = head;
            saliency.ifPresent(maps -> store(maps, at, product));
        }
        store(qGradient, 0, dq);
        store(kGradient, 0, dk);
        store(vGradient, 0, dv);
    }

    private static void store(Tensor destination, long first, double[] values) {
        for (int i = 0; i < values.length; i++) {
            set(destination, first + i, values[i]);
        }
    }

    private static void store(AttentionSaliency saliency, int head, double[][] product) {
        int tokens = saliency.tokens;
        double[][] map = new double[tokens][tokens];
        double[] signed = new double[tokens];
        for (int i = 0; i < tokens; i++) {
            for (int j = 0; j < tokens; j++) {
                signed[i] += product[i][j];
                map[i][j] = Math.abs(product[i][j]);
            }
        }
        ReferenceSaliency whole = new ReferenceSaliency(map, saliency.request);
        long cells = (long) saliency.request.cells() * saliency.request.cells();
        store(saliency.signed, (long) head * tokens, signed);
        store(saliency.rows, (long) head * tokens, whole.rows());
        store(saliency.columns, (long) head * tokens, whole.columns());
        store(saliency.maximum, (long) head * tokens, whole.maximum());
        store(saliency.groups, (long) head * tokens * saliency.request.groupCount(), whole.groups());
        store(saliency.pooledMaximum, head * cells, whole.pooledMaximum());
        store(saliency.pooledMean, head * cells, whole.pooledMean());
        int at = saliency.request.maps().indexOf(head);
        if (at >= 0) {
            store(saliency.maps, (long) at * tokens * tokens, whole.elements());
        }
    }

    @Override
    public float[] crossEntropy(Tensor logits, int[] targets, float[] factors) {
        long words = logits.size(1);
        float[] nats = new float[targets.length];
        for (int row = 0; row < targets.length; row++) {
            double[] values = doubles(logits.rows(row, 1));
            double peak = Double.NEGATIVE_INFINITY;
            for (double value : values) {
                peak = Math.max(peak, value);
            }
            double total = 0;
            for (double value : values) {
                total += Math.exp(value - peak);
            }
            for (int word = 0; word < words; word++) {
                double share = Math.exp(values[word] - peak) / total;
                set(logits, row * words + word, factors[row] * (share - (word == targets[row] ? 1 : 0)));
            }
            nats[row] = (float) (peak + Math.log(total) - values[targets[row]]);
        }
        return nats;
    }

    @Override
    public void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamW settings, int step) {
        double beta1 = settings.beta1();
        double beta2 = settings.beta2();
        for (long i = 0; i < parameter.count(); i++) {
            double g = get(gradient, i);
            double mean = beta1 * get(m, i) + (1 - beta1) * g;
            double square = beta2 * get(v, i) + (1 - beta2) * g * g;
            double change = mean / (1 - Math.pow(beta1, step))
                    / (Math.sqrt(square / (1 - Math.pow(beta2, step))) + settings.epsilon());
            set(parameter, i,
                    get(parameter, i) - settings.rate() * (settings.decay() * get(parameter, i) + change));
            set(m, i, mean);
            set(v, i, square);
        }
    }
}
