package headscope.analysis.answers;

import headscope.tensor.Safetensors;
import java.nio.file.Path;

/**
 * The demo checkpoint's forward pass in double precision and plain loops, from the formulas of GPT-2 (Radford et al.,
 * 2019): y = x + attention(norm(x)), z = y + mlp(norm(y)), logits = norm(z) times the embedding.
 */
final class PlainGpt2 implements AutoCloseable {
    private static final double EPSILON = 1e-5;

    private final Safetensors file;
    private final int layers;
    private final int heads;

    PlainGpt2(Path folder, int layers, int heads) {
        this.file = Safetensors.open(folder.resolve("model.safetensors"));
        this.layers = layers;
        this.heads = heads;
    }

    private float[] weights(String name) {
        return file.get("transformer." + name).floats();
    }

    /** log P(ids[i] | ids[0..i-1]) for each i from {@code start} on, summed, in nats. */
    double logProb(int[] ids, int start) {
        double[][] logits = logits(ids);
        double sum = 0;
        for (int i = start; i < ids.length; i++) {
            double most = Double.NEGATIVE_INFINITY;
            for (double logit : logits[i - 1]) {
                most = Math.max(most, logit);
            }
            double partition = 0;
            for (double logit : logits[i - 1]) {
                partition += Math.exp(logit - most);
            }
            sum += logits[i - 1][ids[i]] - most - Math.log(partition);
        }
        return sum;
    }

    private double[][] logits(int[] ids) {
        float[] words = weights("wte.weight");
        float[] places = weights("wpe.weight");
        int width = (int) file.get("transformer.wpe.weight").shape()[1];
        double[][] x = new double[ids.length][width];
        for (int i = 0; i < ids.length; i++) {
            for (int d = 0; d < width; d++) {
                x[i][d] = (double) words[ids[i] * width + d] + places[i * width + d];
            }
        }
        for (int layer = 0; layer < layers; layer++) {
            String name = "h." + layer + ".";
            add(x, linear(attention(linear(norm(x, name + "ln_1"), name + "attn.c_attn"), width), name + "attn.c_proj"));
            double[][] hidden = linear(norm(x, name + "ln_2"), name + "mlp.c_fc");
            for (double[] row : hidden) {
                for (int d = 0; d < row.length; d++) {
                    row[d] = 0.5 * row[d] * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (row[d] + 0.044715 * row[d] * row[d] * row[d])));
                }
            }
            add(x, linear(hidden, name + "mlp.c_proj"));
        }
        double[][] last = norm(x, "ln_f");
        double[][] logits = new double[ids.length][words.length / width];
        for (int i = 0; i < ids.length; i++) {
            for (int word = 0; word < logits[i].length; word++) {
                for (int d = 0; d < width; d++) {
                    logits[i][word] += last[i][d] * words[word * width + d];
                }
            }
        }
        return logits;
    }

    private static void add(double[][] x, double[][] y) {
        for (int i = 0; i < x.length; i++) {
            for (int d = 0; d < x[i].length; d++) {
                x[i][d] += y[i][d];
            }
        }
    }

    private double[][] norm(double[][] x, String name) {
        float[] scale = weights(name + ".weight");
        float[] shift = weights(name + ".bias");
        double[][] normed = new double[x.length][scale.length];
        for (int i = 0; i < x.length; i++) {
            double mean = 0;
            double square = 0;
            for (double value : x[i]) {
                mean += value / scale.length;
            }
            for (double value : x[i]) {
                square += (value - mean) * (value - mean) / scale.length;
            }
            for (int d = 0; d < scale.length; d++) {
                normed[i][d] = (x[i][d] - mean) / Math.sqrt(square + EPSILON) * scale[d] + shift[d];
            }
        }
        return normed;
    }

    /** x W + b with W [in, out]. */
    private double[][] linear(double[][] x, String name) {
        float[] weight = weights(name + ".weight");
        float[] bias = weights(name + ".bias");
        double[][] y = new double[x.length][bias.length];
        for (int i = 0; i < x.length; i++) {
            for (int out = 0; out < bias.length; out++) {
                double sum = bias[out];
                for (int in = 0; in < x[i].length; in++) {
                    sum += x[i][in] * weight[in * bias.length + out];
                }
                y[i][out] = sum;
            }
        }
        return y;
    }

    /** @param qkv [tokens, 3 width] */
    private double[][] attention(double[][] qkv, int width) {
        int headDim = width / heads;
        double[][] mixed = new double[qkv.length][width];
        for (int head = 0; head < heads; head++) {
            int at = head * headDim;
            for (int i = 0; i < qkv.length; i++) {
                double[] weight = new double[i + 1];
                double sum = 0;
                for (int j = 0; j <= i; j++) {
                    double score = 0;
                    for (int d = 0; d < headDim; d++) {
                        score += qkv[i][at + d] * qkv[j][width + at + d];
                    }
                    weight[j] = Math.exp(score / Math.sqrt(headDim));
                    sum += weight[j];
                }
                for (int j = 0; j <= i; j++) {
                    for (int d = 0; d < headDim; d++) {
                        mixed[i][at + d] += weight[j] / sum * qkv[j][2 * width + at + d];
                    }
                }
            }
        }
        return mixed;
    }

    @Override
    public void close() {
        file.close();
    }
}
