package headscope.analysis.saliency;

import headscope.analysis.HeadName;
import headscope.analysis.InputException;
import headscope.analysis.Overflow;
import headscope.analysis.Progress;

import headscope.analysis.saliency.SaliencyRequest.Objective;
import headscope.backend.AttentionSaliency;
import headscope.backend.AttentionSpec;
import headscope.backend.Backend;
import headscope.model.Batch;
import headscope.model.GradientHook;
import headscope.model.HeadGates;
import headscope.model.LayerHook;
import headscope.model.Tape;
import headscope.model.Transformer;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Runs forward and backward passes of texts. */
record SaliencyObserver(SaliencyRequest request, Transformer model) {
    /** Maximum number of gated copies of a text in a forward pass. */
    private static final int COPIES = 16;

    /** @param progress learns through which share of the layers the text has passed: a third of the work forward */
    SaliencyObservation observe(SaliencyText text, Progress progress) {
        int layers = model.config().layers();
        int[] last = {text.last()};
        progress.within(0);
        LayerHook forward = new LayerHook() {
            @Override
            public void headOutputs(int layer, Tensor heads) {
                progress.within((layer + 1.0) / (3 * layers));
            }
        };
        try (Tape tape = forward(text, forward)) {
            Tensor logits = model.logits(tape, last);
            float[] scores = model.backend().download(logits);
            int target = text.target().orElseGet(() -> model.backend().argmax(logits)[0]);
            requireRival(text, target);
            SaliencyFold fold = new SaliencyFold(request, model, text, target, progress);
            differentiate(logits, target, text);
            model.backward(tape, last, logits, fold);
            return fold.observation(surprisal(text, scores, target));
        }
    }

    /** The maps of some heads, each [T, T]. */
    List<float[]> maps(SaliencyText text, int target, List<HeadName> chosen) {
        Backend backend = model.backend();
        int[] last = {text.last()};
        int size = text.length() * text.length();
        Map<HeadName, float[]> maps = new HashMap<>();
        try (Tape tape = forward(text, LayerHook.NONE)) {
            Tensor logits = model.logits(tape, last);
            differentiate(logits, target, text);
            model.backward(tape, last, logits, new GradientHook() {
                @Override
                public Optional<AttentionSaliency.Request> saliency(int layer, int only) {
                    List<Integer> heads = ofLayer(layer);
                    return heads.isEmpty()
                            ? Optional.empty()
                            : Optional.of(new AttentionSaliency.Request(new int[text.length()], 0, 0, heads));
                }

                @Override
                public void attention(int layer, int only, AttentionSpec spec, AttentionSaliency saliency) {
                    float[] all = backend.download(saliency.maps);
                    List<Integer> heads = ofLayer(layer);
                    for (int i = 0; i < heads.size(); i++) {
                        maps.put(new HeadName(layer, heads.get(i)), Arrays.copyOfRange(all, i * size, (i + 1) * size));
                    }
                }

                private List<Integer> ofLayer(int layer) {
                    return chosen.stream().filter(head -> head.layer() == layer).map(HeadName::head).sorted().toList();
                }
            });
        }
        return chosen.stream().map(maps::get).toList();
    }

    /**
     * The surprisal of the target, nats, under each set of factors on the outputs of heads.
     *
     * @param gates one array [layers * heads] per set
     */
    float[] surprisals(SaliencyText text, List<float[]> gates, Progress progress) {
        float[] surprisals = new float[gates.size()];
        for (int first = 0; first < gates.size(); first += COPIES) {
            progress.within((double) first / gates.size());
            int start = first;
            model.splitOnOutOfMemory(Math.min(COPIES, gates.size() - start), (from, count) -> {
                int to = start + from;
                System.arraycopy(surprisalsOfBatch(text, gates.subList(to, to + count)), 0, surprisals, to, count);
            });
        }
        for (float surprisal : surprisals) {
            requireFinite(text, surprisal);
        }
        return surprisals;
    }

    private float[] surprisalsOfBatch(SaliencyText text, List<float[]> gates) {
        Batch batch = new Batch(Collections.nCopies(gates.size(), text.ids()));
        int[] rows = new int[gates.size()];
        int[] targets = new int[gates.size()];
        try (HeadGates factors = new HeadGates(model, gates.size())) {
            for (int copy = 0; copy < gates.size(); copy++) {
                factors.set(copy, 0, gates.get(copy));
                rows[copy] = batch.first(copy) + text.last();
                targets[copy] = text.target().orElseThrow();
            }
            try (Tape tape = model.forward(batch, Optional.of(factors), LayerHook.NONE)) {
                return model.backend().gradients()
                        .crossEntropy(model.logits(tape, rows), targets, new float[gates.size()]);
            }
        }
    }

    private Tape forward(SaliencyText text, LayerHook hook) {
        return model.forward(new Batch(List.of(text.ids())), Optional.empty(), hook);
    }

    /** Replaces logits [1, vocabulary] by the gradient of the objective with respect to them. */
    private void differentiate(Tensor logits, int target, SaliencyText text) {
        if (request.objective() instanceof Objective.Loss) {
            model.backend().gradients().crossEntropy(logits, new int[] {target}, new float[] {1});
        } else {
            float[] gradient = new float[logits.intSize(1)];
            gradient[target] = 1;
            text.rival().ifPresent(rival -> gradient[rival] = -1);
            model.backend().upload(logits, MemorySegment.ofArray(gradient));
        }
    }

    private void requireRival(SaliencyText text, int target) {
        if (text.rival().isPresent() && text.rival().getAsInt() == target) {
            throw new InputException("--objective %s: that is the target itself, which the model predicts; name another word"
                    .formatted(request.objective().option()));
        }
    }

    private float surprisal(SaliencyText text, float[] scores, int target) {
        double peak = Float.NEGATIVE_INFINITY;
        for (float score : scores) {
            peak = Math.max(peak, score);
        }
        double total = 0;
        for (float score : scores) {
            total += Math.exp(score - peak);
        }
        float surprisal = (float) (peak + Math.log(total) - scores[target]);
        requireFinite(text, surprisal);
        return surprisal;
    }

    private void requireFinite(SaliencyText text, float surprisal) {
        if (!Float.isFinite(surprisal)) {
            throw new InputException("%s: the logits are not finite; %s".formatted(
                    text.place(), Overflow.remedy(model.backend())));
        }
    }
}
