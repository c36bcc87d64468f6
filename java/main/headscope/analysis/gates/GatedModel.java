package headscope.analysis.gates;

import headscope.analysis.InputException;

import headscope.backend.Backend;
import headscope.model.GradientHook;
import headscope.model.HeadGates;
import headscope.model.LayerHook;
import headscope.model.Tape;
import headscope.model.Transformer;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** A model whose heads are gated; texts under several masks go through it in common passes. */
final class GatedModel {
    private final Transformer model;
    private final Backend backend;
    private final int most;

    /** @param most tokens of a pass */
    GatedModel(Transformer model, int most) {
        this.model = model;
        this.backend = model.backend();
        this.most = most;
    }

    /** Of all layers. */
    int heads() {
        return model.config().layers() * model.config().heads();
    }

    /**
     * How unlikely answers are: minus the logarithm of the probability, the mean over an answer's tokens, in nats.
     *
     * @param masks gates [masks][layers * heads]
     * @return in the order of texts
     */
    double[] nll(List<GatedText> texts, float[][] masks) {
        double[] nll = new double[texts.size()];
        pass(texts, pass -> {
            try (HeadGates gates = pass.gates(model, masks);
                    Tape tape = model.forward(pass.batch(), Optional.of(gates), LayerHook.NONE)) {
                judge(pass, model.logits(tape, pass.rows()), nll);
            }
        });
        return nll;
    }

    /**
     * As {@link #nll(List, float[][])}, and how the gates change its weighted sum.
     *
     * @param gradients [masks][layers * heads], added to
     */
    double[] nll(List<GatedText> texts, float[][] masks, double[][] gradients) {
        double[] nll = new double[texts.size()];
        pass(texts, pass -> {
            int[] rows = pass.rows();
            double[][] grown = Arrays.stream(gradients).map(double[]::clone).toArray(double[][]::new);
            try (HeadGates gates = pass.gates(model, masks);
                    Tape tape = model.forward(pass.batch(), Optional.of(gates), LayerHook.NONE)) {
                Tensor logits = model.logits(tape, rows);
                judge(pass, logits, nll);
                dropWhatIsUnlikelyEnough(pass, logits, nll);
                model.backward(tape, rows, logits, addingTo(grown, pass));
            }
            System.arraycopy(grown, 0, gradients, 0, grown.length);
        });
        return nll;
    }

    /** In passes of as many texts as are allowed and memory takes. */
    private void pass(List<GatedText> texts, Consumer<GatedPass> work) {
        for (GatedPass pass : GatedPass.of(texts, most)) {
            model.splitOnOutOfMemory(pass.texts().size(), (first, count) -> work.accept(pass.part(first, count)));
        }
    }

    /** Leaves the loss's gradient in place of the logits. */
    private void judge(GatedPass pass, Tensor logits, double[] nll) {
        float[] ofTokens = backend.gradients().crossEntropy(logits, pass.targets(), pass.factors());
        int row = 0;
        for (int i = 0; i < pass.texts().size(); i++) {
            int end = row + pass.texts().get(i).text().answerTokens();
            double sum = 0;
            for (int j = row; j < end; j++) {
                sum += ofTokens[j];
            }
            if (!Double.isFinite(sum)) {
                throw new InputException("an answer's probability is not a number: the model overflows when its heads"
                        + " are gated");
            }
            nll[pass.first() + i] = sum / (end - row);
            row = end;
        }
    }

    private void dropWhatIsUnlikelyEnough(GatedPass pass, Tensor logitsGradient, double[] nll) {
        int row = 0;
        for (int i = 0; i < pass.texts().size(); i++) {
            GatedText text = pass.texts().get(i);
            int at = pass.first() + i;
            if (text.followsTheOneBefore() && nll[at] - nll[at - 1] > text.most()) {
                backend.scale(logitsGradient.rows(row, text.text().answerTokens()), 0);
            }
            row += text.text().answerTokens();
        }
    }

    private GradientHook addingTo(double[][] gradients, GatedPass pass) {
        int heads = model.config().heads();
        return new GradientHook() {
            @Override
            public void gates(int layer, int text, float[] gradient) {
                double[] sums = gradients[pass.texts().get(text).mask()];
                for (int head = 0; head < heads; head++) {
                    sums[layer * heads + head] += gradient[head];
                }
            }
        };
    }
}
