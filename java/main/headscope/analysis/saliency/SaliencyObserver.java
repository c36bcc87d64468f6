package headscope.analysis.saliency;

import headscope.analysis.HeadName;
import headscope.analysis.InputException;
import headscope.analysis.Overflow;
import headscope.analysis.Predictions;
import headscope.analysis.Progress;
import headscope.analysis.TextBatches;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleConsumer;
import java.util.stream.IntStream;

/**
 * Runs forward and backward passes of texts.
 *
 * @param batches how texts are divided into passes
 */
record SaliencyObserver(SaliencyRequest request, Transformer model, TextBatches batches) {
    /**
     * Observes texts in one pass forward and one back.
     *
     * @param progress learns how many of the texts are done: a third of the work is the forward pass
     */
    List<SaliencyObservation> observe(List<SaliencyText> texts, Progress progress) {
        progress.within(0);
        List<SaliencyObservation> observations = new ArrayList<>();
        model.splitOnOutOfMemory(texts.size(), (first, count) -> observations.addAll(observeTogether(
                texts.subList(first, first + count), share -> progress.within(first + count * share))));
        return observations;
    }

    /** @param done learns which share of the work is done */
    private List<SaliencyObservation> observeTogether(List<SaliencyText> texts, DoubleConsumer done) {
        int layers = model.config().layers();
        LayerHook forward = new LayerHook() {
            @Override
            public void headOutputs(int layer, Tensor heads) {
                done.accept((layer + 1.0) / (3 * layers));
            }
        };
        Batch batch = batch(texts);
        int[] rows = lastRows(texts, batch);
        try (Tape tape = model.forward(batch, Optional.empty(), forward)) {
            Tensor logits = model.logits(tape, rows);
            int[] targets = targets(texts, logits);
            List<SaliencyFold> folds = IntStream.range(0, texts.size())
                    .mapToObj(text -> new SaliencyFold(request, model, texts.get(text), targets[text]))
                    .toList();
            float[] surprisals = new float[targets.length];
            for (int text = 0; text < targets.length; text++) {
                surprisals[text] = surprisal(
                        texts.get(text), model.backend().download(logits.rows(text, 1)), targets[text]);
            }
            differentiate(logits, targets, texts);
            model.backward(tape, rows, logits, folding(folds, done));
            return IntStream.range(0, texts.size())
                    .mapToObj(text -> folds.get(text).observation(surprisals[text])).toList();
        }
    }

    private static Batch batch(List<SaliencyText> texts) {
        return new Batch(texts.stream().map(SaliencyText::ids).toList());
    }

    /** The row of each text's last token. */
    private static int[] lastRows(List<SaliencyText> texts, Batch batch) {
        return IntStream.range(0, texts.size()).map(text -> batch.first(text) + texts.get(text).last()).toArray();
    }

    /** The tokens whose prediction is explained: by default those that the model predicts. */
    private int[] targets(List<SaliencyText> texts, Tensor logits) {
        int[] targets = texts.stream().allMatch(text -> text.target().isPresent())
                ? new int[texts.size()]
                : model.backend().argmax(logits);
        for (int text = 0; text < targets.length; text++) {
            targets[text] = texts.get(text).target().orElse(targets[text]);
            requireRival(texts.get(text), targets[text]);
        }
        return targets;
    }

    /** Hands every text's part of a backward pass to its fold. */
    private GradientHook folding(List<SaliencyFold> folds, DoubleConsumer done) {
        int layers = model.config().layers();
        return new GradientHook() {
            @Override
            public Optional<AttentionSaliency.Request> saliency(int layer, int text) {
                return folds.get(text).saliency();
            }

            @Override
            public void gates(int layer, int text, float[] gradient) {
                folds.get(text).gates(layer, gradient);
            }

            @Override
            public void attention(int layer, int text, AttentionSpec spec, AttentionSaliency saliency) {
                folds.get(text).attention(layer, saliency);
                if (text == folds.size() - 1) {
                    done.accept(1 - 2.0 * layer / (3 * layers));
                }
            }
        };
    }

    /**
     * The maps of some heads, each [T, T], of every text.
     *
     * @param targets one per text
     * @param progress counts texts
     */
    List<List<float[]>> maps(List<SaliencyText> texts, int[] targets, List<HeadName> chosen, Progress progress) {
        List<List<float[]>> maps = new ArrayList<>(Collections.nCopies(texts.size(), List.of()));
        int[] all = IntStream.range(0, texts.size()).toArray();
        int done = 0;
        for (int[] batch : batches.of(all, text -> texts.get(text).length())) {
            model.splitOnOutOfMemory(batch.length, (first, count) -> {
                int[] some = Arrays.copyOfRange(batch, first, first + count);
                List<List<float[]>> ofSome = mapsTogether(
                        Arrays.stream(some).mapToObj(texts::get).toList(),
                        Arrays.stream(some).map(text -> targets[text]).toArray(), chosen);
                for (int i = 0; i < count; i++) {
                    maps.set(some[i], ofSome.get(i));
                }
            });
            done += batch.length;
            progress.reached(done, texts.size());
        }
        return maps;
    }

    private List<List<float[]>> mapsTogether(List<SaliencyText> texts, int[] targets, List<HeadName> chosen) {
        Backend backend = model.backend();
        Batch batch = batch(texts);
        int[] rows = lastRows(texts, batch);
        List<Map<HeadName, float[]>> maps = texts.stream().map(text -> (Map<HeadName, float[]>) new HashMap<HeadName, float[]>()).toList();
        try (Tape tape = model.forward(batch, Optional.empty(), LayerHook.NONE)) {
            Tensor logits = model.logits(tape, rows);
            differentiate(logits, targets, texts);
            model.backward(tape, rows, logits, new GradientHook() {
                @Override
                public Optional<AttentionSaliency.Request> saliency(int layer, int text) {
                    List<Integer> heads = ofLayer(layer);
                    return heads.isEmpty()
                            ? Optional.empty()
                            : Optional.of(new AttentionSaliency.Request(
                                    new int[texts.get(text).length()], 0, 0, heads));
                }

                @Override
                public void attention(int layer, int text, AttentionSpec spec, AttentionSaliency saliency) {
                    float[] all = backend.download(saliency.maps);
                    List<Integer> heads = ofLayer(layer);
                    int size = texts.get(text).length() * texts.get(text).length();
                    for (int i = 0; i < heads.size(); i++) {
                        maps.get(text).put(
                                new HeadName(layer, heads.get(i)), Arrays.copyOfRange(all, i * size, (i + 1) * size));
                    }
                }

                private List<Integer> ofLayer(int layer) {
                    return chosen.stream().filter(head -> head.layer() == layer).map(HeadName::head).sorted().toList();
                }
            });
        }
        return maps.stream().map(ofText -> chosen.stream().map(ofText::get).toList()).toList();
    }

    /**
     * The surprisal of each text's target, nats, under each set of factors on the outputs of heads.
     *
     * @param gates one array [layers * heads] per set
     * @return one array per text
     */
    List<float[]> surprisals(List<SaliencyText> texts, List<float[]> gates, Progress progress) {
        List<float[]> surprisals = texts.stream().map(text -> new float[gates.size()]).toList();
        progress.within(0);
        int sets = gates.size();
        int[] copies = IntStream.range(0, texts.size() * sets).toArray();
        int done = 0;
        for (int[] pass : batches.of(copies, copy -> texts.get(copy / sets).length())) {
            model.splitOnOutOfMemory(pass.length, (first, count) -> {
                int[] some = Arrays.copyOfRange(pass, first, first + count);
                float[] ofSome = surprisalsOfBatch(
                        Arrays.stream(some).mapToObj(copy -> texts.get(copy / sets)).toList(),
                        Arrays.stream(some).mapToObj(copy -> gates.get(copy % sets)).toList());
                for (int i = 0; i < count; i++) {
                    requireFinite(texts.get(some[i] / sets), ofSome[i]);
                    surprisals.get(some[i] / sets)[some[i] % sets] = ofSome[i];
                }
            });
            done += pass.length;
            progress.within((double) done / sets);
        }
        return surprisals;
    }

    /** @param gates one set per text */
    private float[] surprisalsOfBatch(List<SaliencyText> texts, List<float[]> gates) {
        Batch batch = batch(texts);
        int[] targets = texts.stream().mapToInt(text -> text.target().orElseThrow()).toArray();
        try (HeadGates factors =
                new HeadGates(model, gates.stream().map(set -> new HeadGates.OfText(0, set)).toList())) {
            Tensor hidden = model.read(batch, Optional.of(factors), LayerHook.NONE);
            return new Predictions(model, hidden).nll(lastRows(texts, batch), targets);
        }
    }

    /** Replaces logits [texts, vocabulary] by the gradient of the objective with respect to them. */
    private void differentiate(Tensor logits, int[] targets, List<SaliencyText> texts) {
        if (request.objective() instanceof Objective.Loss) {
            float[] factors = new float[targets.length];
            Arrays.fill(factors, 1);
            model.backend().gradients().crossEntropy(logits, targets, factors);
        } else {
            for (int text = 0; text < targets.length; text++) {
                float[] gradient = new float[logits.intSize(1)];
                gradient[targets[text]] = 1;
                texts.get(text).rival().ifPresent(rival -> gradient[rival] = -1);
                model.backend().upload(logits.rows(text, 1), MemorySegment.ofArray(gradient));
            }
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
