package headscope.analysis.watch;

import headscope.backend.AtlasSpec;
import headscope.backend.AttentionSnapshot;
import headscope.backend.AttentionStatistics;
import headscope.metric.Metric;
import headscope.model.LayerHook;
import headscope.result.frame.AtlasBlock;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** One text as it grows in a model: gives a frame after every pass, and during the first one a frame per layer. */
final class WatchedText implements LayerHook {
    /** The prompt's layers are shown as they come, but not more often than this. */
    private static final long NANOS_BETWEEN_LAYERS = 30_000_000;

    /** Finite whenever attention is. */
    private static final Metric FINITE = new Metric.AttentionScore();

    private final ObservedText observed;
    private final WatchRequest request;
    private final int text;
    private final Consumer<Frame> frames;
    private final BooleanSupplier abandoned;
    private final AtlasSpec atlas;
    private final List<Metric> measured;
    private final ChosenMap chosen;
    private final Rate rate = new Rate();

    private int named; // tokens that frames have named
    private int layersShown; // of the last frame with values
    private int passes;
    private int read; // tokens of the passes that frames have shown
    private State state = State.READING;
    private String message = "";
    private final Map<String, float[]> metrics = new HashMap<>();
    private final List<AtlasBlock> unshown = new ArrayList<>(); // of a prompt's layers that have read it
    private long lastFrame = System.nanoTime();

    /** Thrown by the hook to leave a pass. */
    static final class Abandoned extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** @param text number of the text in the stream */
    WatchedText(
            ObservedText observed, WatchRequest request, int text, Consumer<Frame> frames, BooleanSupplier abandoned) {
        this.observed = observed;
        this.request = request;
        this.text = text;
        this.frames = frames;
        this.abandoned = abandoned;
        this.atlas = request.atlas();
        this.measured = Stream.concat(request.metrics().stream(), Stream.of(FINITE)).distinct().toList();
        this.chosen = new ChosenMap(observed);
        for (Metric metric : request.metrics()) {
            float[] unknown = new float[observed.layers() * observed.heads()];
            Arrays.fill(unknown, Float.NaN);
            metrics.put(metric.key(), unknown);
        }
    }

    /** Called when the next pass begins. */
    void begin() {
        rate.begin(passes > 0);
    }

    /** Shows a head closely, at once if the prompt has been read. */
    void pick(int layer, int head) {
        chosen.pick(layer, head);
        if (passes > 0) {
            emit(List.of(), Optional.of(chosen.of(snapshot(Optional.empty()).head().orElseThrow())));
        }
    }

    /** Tells viewers what the model does, unless they know. */
    void announce(State next) {
        if (state != next) {
            state = next;
            say("");
        }
    }

    /** Shows viewers one line until the state changes. */
    void say(String line) {
        message = line;
        again();
    }

    /** Sends viewers a frame although the text has not changed. */
    void again() {
        if (passes > 0) {
            emit(List.of(), Optional.empty());
        } else {
            tell(state, layersShown);
        }
    }

    /** The last frame of a text that cannot go on. It holds nothing of the pass that failed. */
    void fail(String why) {
        message = why;
        tell(State.FAILED, 0);
    }

    /** Only the message, and no values. */
    private void tell(State told, int layersRead) {
        frames.accept(new Frame(
                text, told, message, step(), named, List.of(), layersRead, Map.of(), atlas.bin(named), List.of(),
                Optional.empty(), rate.perSecond(), observed.backend().liveBytes(), 0));
    }

    /** A prompt's layer is shown once it has read the prompt. */
    @Override
    public void attention(int layer, Attention attention) {
        if (abandoned.getAsBoolean()) {
            throw new Abandoned();
        }
        if (passes > 0) {
            return;
        }
        AttentionSnapshot values = observed.backend().snapshot(
                new AttentionSnapshot.Request(measured, Optional.of(0), Optional.empty()),
                attention.statistics(), attention.spec());
        write(values, layer, 1);
        unshown.addAll(blocks(values, layer, 1));
        if (System.nanoTime() - lastFrame > NANOS_BETWEEN_LAYERS && layer < observed.layers() - 1) {
            emit(layer + 1, observed.statistics(layer).tokens(), List.copyOf(unshown), Optional.empty());
            unshown.clear();
        }
    }

    /** Shows the pass that has ended; nothing if it is shown already. */
    void passed() {
        AttentionStatistics statistics = observed.statistics();
        if (read == statistics.tokens()) {
            return;
        }
        read = statistics.tokens();
        rate.end();
        boolean prompt = passes == 0;
        AttentionSnapshot values = snapshot(prompt ? Optional.empty() : Optional.of(statistics.firstChangedRow()));
        List<AtlasBlock> changed = prompt ? List.copyOf(unshown) : blocks(values, 0, observed.layers());
        unshown.clear();
        write(values, 0, observed.layers());
        message = state == State.RUNNING ? message : "";
        state = State.RUNNING;
        passes++;
        emit(changed, Optional.of(chosen.of(values.head().orElseThrow())));
    }

    /** Of all layers, with the chosen head's vectors. */
    private AttentionSnapshot snapshot(Optional<Integer> firstRow) {
        return observed.backend().snapshot(
                new AttentionSnapshot.Request(measured, firstRow, Optional.of(chosen.index())),
                observed.statistics(), observed.attentionSpec(chosen.layer()));
    }

    private void write(AttentionSnapshot snapshot, int layer, int count) {
        double[][] scores = snapshot.metrics().of(FINITE);
        for (int i = 0; i < count * observed.heads(); i++) {
            if (!Double.isFinite(scores[i][0])) {
                observed.overflow("attention of layer %d, head %d is not finite"
                        .formatted(layer + i / observed.heads(), i % observed.heads()));
            }
        }
        for (Metric metric : request.metrics()) {
            double[][] values = snapshot.metrics().of(metric);
            float[] all = metrics.get(metric.key());
            for (int i = 0; i < count * observed.heads(); i++) {
                all[layer * observed.heads() + i] = (float) values[i][0];
            }
        }
    }

    /** The cells of consecutive layers, a block for each. */
    private List<AtlasBlock> blocks(AttentionSnapshot snapshot, int layer, int count) {
        int first = snapshot.firstRow();
        int rows = atlas.rows(snapshot.tokens()) - first;
        int values = observed.heads() * rows * atlas.side();
        List<AtlasBlock> blocks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            blocks.add(new AtlasBlock(
                    layer + i, first, rows, Arrays.copyOfRange(snapshot.cells(), i * values, (i + 1) * values)));
        }
        return blocks;
    }

    /** Of the last pass, or of the first one while it runs. */
    private int step() {
        return Math.max(0, passes - 1);
    }

    private void emit(List<AtlasBlock> blocks, Optional<ChosenHead> head) {
        emit(observed.layers(), Math.max(read, named), blocks, head);
    }

    /** @param end number of tokens that the layers read so far have read */
    private void emit(int layersRead, int end, List<AtlasBlock> blocks, Optional<ChosenHead> head) {
        Map<String, float[]> values = new HashMap<>();
        metrics.forEach((key, all) -> values.put(key, all.clone()));
        frames.accept(new Frame(
                text, state, message, step(), named, observed.tokens(named, end), layersRead, values, atlas.bin(end),
                blocks, head, rate.perSecond(), observed.backend().liveBytes(), 0));
        named = end;
        layersShown = layersRead;
        lastFrame = System.nanoTime();
    }
}
