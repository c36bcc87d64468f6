package headscope.timing;

import headscope.backend.AttentionSpec;
import headscope.backend.Backend;
import headscope.model.Batch;
import headscope.model.BatchGenerator;
import headscope.model.Checkpoint;
import headscope.model.GradientHook;
import headscope.model.HeadGates;
import headscope.model.LayerHook;
import headscope.model.Sampler;
import headscope.model.Sequence;
import headscope.model.Tape;
import headscope.model.Transformer;
import headscope.tensor.DType;
import headscope.tensor.StoredTensor;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SequencedMap;
import java.util.function.DoubleSupplier;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/** Times a model on random tokens. */
public final class ModelBench implements AutoCloseable {
    static final String FORWARD = "forward pass";
    static final String OBSERVED = ", observed";
    static final String READING = "reading the weights";
    static final String GATES = "gates, one update of 64 texts";

    /** Length of a text in a batch, and before decoding, if the model allows it. */
    static final int TEXT_TOKENS = 128;

    private static final int NEW_TOKENS = 32;
    private static final int UNTIMED_TOKENS = 3;
    private static final int GATED_TEXTS = 64;
    private static final int GATED_TOKENS = 24;
    private static final int PROFILED_RUNS = 5;

    private final String name;
    private final Backend device;
    private final Stopwatch stopwatch;
    private final OperationClock clock;
    private final Transformer model;
    private final Measurement reading;
    /** The type in which the largest matrices, such as the embedding, are kept. */
    private final DType weights;

    /** @param name of the model */
    ModelBench(String name, Checkpoint checkpoint, Backend device, Stopwatch stopwatch) {
        this.name = name;
        this.device = device;
        this.stopwatch = stopwatch;
        this.clock = new OperationClock(device);
        long before = device.liveBytes();
        long start = System.nanoTime();
        this.model = new Transformer(checkpoint, clock.backend());
        double seconds = (System.nanoTime() - start) / 1e9;
        long bytes = device.liveBytes() - before;
        this.reading = stopwatch.measurement(name, 0, READING, Work.WALL_CLOCK, List.of(seconds), new Cost(0, bytes), bytes);
        this.weights = device.weights(checkpoint.tensors().names().stream().map(checkpoint.tensors()::get)
                .max(Comparator.comparingLong(StoredTensor::count)).orElseThrow().dtype());
    }

    /** The time from an open checkpoint until its weights are on the device, measured once. */
    public Measurement reading() {
        return reading;
    }

    public int maxTokens() {
        return model.config().maxTokens();
    }

    /** Length of a text in a batch. */
    public int textTokens() {
        return Math.min(TEXT_TOKENS, maxTokens());
    }

    AttentionSpec attention() {
        return model.attentionSpec(0);
    }

    /** The kernels' time of a forward pass with the logits of the last token: without statistics, then with those of all heads. */
    public List<Measurement> forward(int tokens) {
        int[] ids = ids(tokens, 1).getFirst();
        List<Measurement> measured = new ArrayList<>();
        for (boolean observed : new boolean[] {false, true}) {
            try (Sequence text = sequence(tokens, observed)) {
                measured.addAll(stopwatch.time(name, tokens, Work.whole(named(FORWARD, observed), () -> {
                    text.clear();
                    lastLogits(text, ids);
                })));
            }
        }
        return measured;
    }

    /** Reading texts of equal length until each one's most probable next token is on the host: without statistics, then with those of all heads. */
    public List<Throughput> prefill(int texts, int tokens) {
        return texts == 1 ? prefill(tokens) : batch(texts, tokens);
    }

    private List<Throughput> prefill(int tokens) {
        int[] ids = ids(tokens, 1).getFirst();
        List<Throughput> measured = new ArrayList<>();
        for (boolean observed : new boolean[] {false, true}) {
            try (Sequence text = sequence(tokens, observed)) {
                measured.add(throughput(tokens, tokens, Work.wallClock(prefilling(1, observed), () -> Work.seconds(() -> {
                    text.clear();
                    device.argmax(lastLogits(text, ids));
                }))));
            }
        }
        return measured;
    }

    private List<Throughput> batch(int texts, int tokens) {
        Batch batch = new Batch(ids(tokens, texts));
        int[] last = lastRows(batch);
        List<Throughput> measured = new ArrayList<>();
        for (boolean observed : new boolean[] {false, true}) {
            measured.add(throughput(tokens, texts * tokens, Work.wallClock(prefilling(texts, observed), () -> Work.seconds(() -> {
                Tensor hidden = observed
                        ? model.observe(batch, LayerHook.NONE)
                        : model.read(batch, Optional.empty(), LayerHook.NONE);
                device.argmax(model.logits(hidden, last));
            }))));
        }
        return measured;
    }

    /**
     * Greedy generation: the time of one step, after {@value #TEXT_TOKENS} tokens or half of the longest text. Empty for a
     * bidirectional model.
     */
    public List<Throughput> decoding(int texts) {
        if (!model.config().causal() || maxTokens() < 3) {
            return List.of();
        }
        int past = Math.min(TEXT_TOKENS, maxTokens() / 2);
        int steps = Math.min(NEW_TOKENS, maxTokens() - past - 1);
        List<Throughput> measured = new ArrayList<>();
        for (boolean observed : new boolean[] {false, true}) {
            DoubleSupplier step = () -> decoding(texts, past, steps, observed);
            measured.add(throughput(past, texts, Work.wallClock(decodingOf(texts, observed), step)
                    .with(Work.WALL_CLOCK, new Cost(0, readBytes(new Pass(texts, past, 1))))));
        }
        return measured;
    }

    /**
     * Seconds per step after the third new token of all texts: a GPU launches the first step kernel by kernel and records the
     * second. Texts that end early do not stop the others.
     */
    private double decoding(int texts, int past, int steps, boolean observed) {
        long[] beginning = new long[1];
        long[] tokens = new long[1];
        int first = Math.min(UNTIMED_TOKENS, steps);
        Predicate<int[]> clock = soFar -> {
            if (soFar.length <= first) {
                beginning[0] = System.nanoTime();
            } else {
                tokens[0]++;
            }
            return false;
        };
        List<BatchGenerator.Prompt> prompts = ids(past, texts).stream()
                .map(ids -> new BatchGenerator.Prompt(ids, new int[0], new Random(0), clock))
                .toList();
        new BatchGenerator(
                model, Sampler.GREEDY, steps + 1, new BatchGenerator.Size(texts, texts * past, past), observed)
                .generate(prompts, LayerHook.NONE, (index, read, sequence, slot) -> {});
        return (System.nanoTime() - beginning[0]) / 1e9 * texts / Math.max(1, tokens[0]);
    }

    /**
     * Minimum bytes of weights and cache that a decoding step reads. An embedding table counts only if it is also the output
     * projection.
     */
    private double readBytes(Pass pass) {
        double bytes = reading.bytes();
        if (!model.config().vocabulary().tied()) {
            bytes -= (double) model.config().vocabulary().size() * model.config().hidden() * weights.bytes;
        }
        for (int layer = 0; layer < model.config().layers(); layer++) {
            AttentionSpec spec = model.attentionSpec(layer);
            bytes += 2.0 * spec.kvHeads() * spec.headDim() * pass.keys(spec) * device.operands().bytes;
        }
        return bytes;
    }

    /** Forward and backward pass of an update of gates. Empty for a bidirectional model. */
    public List<Measurement> gates() {
        if (!model.config().causal()) {
            return List.of();
        }
        int tokens = Math.min(GATED_TOKENS, maxTokens());
        Batch batch = new Batch(ids(tokens, GATED_TEXTS));
        int[] last = lastRows(batch);
        int[] targets = batch.texts().stream().mapToInt(ids -> ids[0]).toArray();
        float[] factors = new float[GATED_TEXTS];
        Arrays.fill(factors, 1f / GATED_TEXTS);
        float[] half = new float[model.config().layers() * model.config().heads()];
        Arrays.fill(half, 0.5f);
        try (HeadGates gates = new HeadGates(model, Collections.nCopies(GATED_TEXTS, new HeadGates.OfText(0, half)))) {
            return stopwatch.time(name, tokens, Work.wallClock(GATES, () -> Work.seconds(() -> {
                try (Tape tape = model.forward(batch, Optional.of(gates), LayerHook.NONE)) {
                    Tensor logits = model.logits(tape, last);
                    device.gradients().crossEntropy(logits, targets, factors);
                    model.backward(tape, last, logits, GradientHook.NONE);
                    device.download(logits.rows(0, 1)); // waits for the backward pass
                }
            })));
        }
    }

    /**
     * The kernels of each operation in a pass that reads a text with all statistics, and in one that decodes its last token:
     * one measurement each, the longest first.
     *
     * @return by titles of the passes; a bidirectional model decodes nothing
     */
    public SequencedMap<String, List<Measurement>> profile(int tokens) {
        SequencedMap<String, List<Measurement>> passes = new LinkedHashMap<>();
        int[] ids = ids(tokens, 1).getFirst();
        try (Sequence text = sequence(tokens, true)) {
            passes.put("prefill of %,d tokens".formatted(tokens), profile("prefill", new Pass(1, 0, tokens), text, ids));
            if (model.config().causal() && tokens > 1) {
                passes.put("decoding of token %,d".formatted(tokens), profile("decoding", new Pass(1, tokens - 1, 1), text, ids));
            }
        }
        return passes;
    }

    private List<Measurement> profile(String operation, Pass pass, Sequence text, int[] ids) {
        SequencedMap<OperationClock.Key, List<OperationClock.Spent>> runs = new LinkedHashMap<>();
        device.peakBytes();
        for (int run = 0; run <= PROFILED_RUNS; run++) {
            text.clear();
            if (pass.past() > 0) {
                model.forward(text, Arrays.copyOf(ids, pass.past()), LayerHook.NONE);
            }
            int[] rest = Arrays.copyOfRange(ids, pass.past(), ids.length);
            SequencedMap<OperationClock.Key, OperationClock.Spent> spent =
                    clock.time(pass, () -> clock.backend().argmax(lastLogits(text, rest)));
            if (run > 0) { // the first run loads modules
                spent.forEach((key, time) -> runs.computeIfAbsent(key, _ -> new ArrayList<>()).add(time));
            }
        }
        long peak = device.peakBytes();
        return runs.entrySet().stream()
                .map(entry -> measurement(operation, ids.length, entry, peak))
                .sorted(Comparator.comparingDouble(Measurement::median).reversed())
                .toList();
    }

    private Measurement measurement(
            String pass, int tokens, Map.Entry<OperationClock.Key, List<OperationClock.Spent>> entry, long peak) {
        return stopwatch.measurement(name, tokens, pass + ": " + entry.getKey().operation(), entry.getKey().kernel(),
                entry.getValue().stream().map(OperationClock.Spent::seconds).toList(), entry.getValue().getFirst().cost(), peak);
    }

    private Throughput throughput(int tokens, int newTokens, Work work) {
        return new Throughput(stopwatch.time(name, tokens, work).getFirst(), newTokens);
    }

    private Tensor lastLogits(Sequence text, int[] ids) {
        return model.logits(model.forward(text, ids, LayerHook.NONE).rows(ids.length - 1, 1));
    }

    private Sequence sequence(int capacity, boolean observed) {
        return observed ? model.sequence(capacity) : model.sequenceWithoutStatistics(capacity);
    }

    private List<int[]> ids(int tokens, int texts) {
        Random random = new Random(tokens);
        int words = model.config().vocabulary().size();
        return IntStream.range(0, texts).mapToObj(_ -> random.ints(tokens, 0, words).toArray()).toList();
    }

    private static int[] lastRows(Batch batch) {
        return IntStream.range(0, batch.texts().size())
                .map(text -> batch.first(text) + batch.texts().get(text).length - 1).toArray();
    }

    private static String named(String operation, boolean observed) {
        return operation + (observed ? OBSERVED : "");
    }

    static String prefilling(int texts, boolean observed) {
        return named("prefill, " + textsOf(texts), observed);
    }

    static String decodingOf(int texts, boolean observed) {
        return named("decoding, " + textsOf(texts), observed);
    }

    private static String textsOf(int count) {
        return count == 1 ? "1 text" : count + " texts";
    }

    @Override
    public void close() {
        model.close();
    }
}
