package headscope.analysis.gates;

import headscope.analysis.InputException;
import headscope.analysis.Overflow;
import headscope.analysis.Predictions;
import headscope.analysis.Progress;
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

/** A model with gated heads; texts under several masks share forward passes. */
final class GatedModel {
    private final Transformer model;
    private final Backend backend;
    private final int maxTokens;
    private final Progress progress;

    /** @param maxTokens of a pass */
    GatedModel(Transformer model, int maxTokens) {
        this(model, maxTokens, Progress.SILENT);
    }

    private GatedModel(Transformer model, int maxTokens, Progress progress) {
        this.model = model;
        this.backend = model.backend();
        this.maxTokens = maxTokens;
        this.progress = progress;
    }

    /** The same model, which reports the share of the texts and layers that {@link #nll} has processed. */
    GatedModel reporting(Progress progress) {
        return new GatedModel(model, maxTokens, progress);
    }

    /** Number of heads in all layers. */
    int heads() {
        return model.config().layers() * model.config().heads();
    }

    /**
     * The negative log-likelihood of each answer, mean over its tokens, in nats.
     *
     * @param masks gates, [masks][layers * heads]
     * @return one value per text
     */
    double[] nll(List<GatedText> texts, float[][] masks) {
        double[] nll = new double[texts.size()];
        pass(texts, pass -> {
            Passed passed = new Passed(pass, texts.size(), model.config().layers());
            try (HeadGates gates = pass.gates(model, masks)) {
                Tensor hidden = model.read(pass.batch(), Optional.of(gates), passed);
                nll(pass, new Predictions(model, hidden).nll(pass.rows(), pass.targets()), nll);
            }
        });
        return nll;
    }

    /**
     * As {@link #nll(List, float[][])}; also computes the gradient of the weighted sum with respect to the gates.
     *
     * @param gradients [masks][layers * heads], to which the gradient is added
     */
    double[] nll(List<GatedText> texts, float[][] masks, double[][] gradients) {
        double[] nll = new double[texts.size()];
        pass(texts, pass -> {
            int[] rows = pass.rows();
            double[][] updated = Arrays.stream(gradients).map(double[]::clone).toArray(double[][]::new);
            Passed passed = new Passed(pass, texts.size(), 2 * model.config().layers());
            try (HeadGates gates = pass.gates(model, masks);
                    Tape tape = model.forward(pass.batch(), Optional.of(gates), passed)) {
                Tensor logits = model.logits(tape, rows);
                nll(pass, backend.gradients().crossEntropy(logits, pass.targets(), pass.factors()), nll);
                dropWhatExceedsTheGap(pass, logits, nll);
                model.backward(tape, rows, logits, addingTo(updated, pass, passed));
            }
            System.arraycopy(updated, 0, gradients, 0, updated.length);
        });
        return nll;
    }

    /** Runs work in passes of at most {@code maxTokens} tokens, and in smaller ones if memory runs out. */
    private void pass(List<GatedText> texts, Consumer<GatedPass> work) {
        for (GatedPass pass : GatedPass.of(texts, maxTokens)) {
            model.splitOnOutOfMemory(pass.texts().size(), (first, count) -> work.accept(pass.part(first, count)));
        }
    }

    /** Averages over the tokens of each answer. */
    private void nll(GatedPass pass, float[] ofTokens, double[] nll) {
        int row = 0;
        for (int i = 0; i < pass.texts().size(); i++) {
            int end = row + pass.texts().get(i).text().answerTokens();
            double sum = 0;
            for (int j = row; j < end; j++) {
                sum += ofTokens[j];
            }
            if (!Double.isFinite(sum)) {
                throw new InputException(
                        "an answer's probability is not a number with gated heads; " + Overflow.remedy(backend));
            }
            nll[pass.first() + i] = sum / (end - row);
            row = end;
        }
    }

    private void dropWhatExceedsTheGap(GatedPass pass, Tensor logitsGradient, double[] nll) {
        int row = 0;
        for (int i = 0; i < pass.texts().size(); i++) {
            GatedText text = pass.texts().get(i);
            int at = pass.first() + i;
            if (text.isPairedWithPrevious() && nll[at] - nll[at - 1] > text.maxGap()) {
                backend.scale(logitsGradient.rows(row, text.text().answerTokens()), 0);
            }
            row += text.text().answerTokens();
        }
    }

    private GradientHook addingTo(double[][] gradients, GatedPass pass, Passed passed) {
        int heads = model.config().heads();
        return new GradientHook() {
            @Override
            public void gates(int layer, int text, float[] gradient) {
                double[] sums = gradients[pass.texts().get(text).mask()];
                for (int head = 0; head < heads; head++) {
                    sums[layer * heads + head] += gradient[head];
                }
                if (text == pass.texts().size() - 1) {
                    passed.next();
                }
            }
        };
    }

    /** Reports progress within all passes, layer by layer. */
    private final class Passed implements LayerHook {
        private final double first;
        private final double layer;
        private int layers;

        /**
         * @param texts  of all passes
         * @param layers of this pass, forward and backward
         */
        Passed(GatedPass pass, int texts, int layers) {
            this.first = (double) pass.first() / texts;
            this.layer = (double) pass.texts().size() / texts / layers;
            progress.within(first);
        }

        void next() {
            progress.within(first + ++layers * layer);
        }

        @Override
        public void headOutputs(int layer, Tensor heads) {
            next();
        }
    }
}
