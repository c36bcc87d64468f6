package headscope.analysis.watch;

import headscope.backend.AtlasSpec;
import headscope.backend.AttentionSnapshot;
import headscope.backend.AttentionStatistics;
import headscope.metric.Metric;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Tokenizer;
import headscope.model.Transformer;
import headscope.result.TokenNames;
import headscope.result.TokenTable;
import headscope.result.frame.AtlasBlock;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.result.frame.Frame.Token;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** One text as it grows in a model: gives a frame after every pass, and during the first one a frame per layer. */
final class WatchedText implements LayerHook, AutoCloseable {
    /** The prompt's layers are shown as they come, but not more often than this. */
    private static final long NANOS_BETWEEN_LAYERS = 30_000_000;

    /** Tokens before a new one that decide how it is named: enough for the bytes of one character. */
    private static final int NAME_CONTEXT = 16;

    private final Transformer model;
    private final Tokenizer tokenizer;
    private final WatchRequest request;
    private final int text;
    private final Consumer<Frame> frames;
    private final BooleanSupplier abandoned;
    private final AtlasSpec atlas;
    private final Sequence sequence;
    private final ChosenMap chosen;
    private final Rate rate = new Rate();

    private final List<Integer> ids = new ArrayList<>();
    private int named; // tokens that frames have named
    private int passes;
    private int read; // tokens of the passes that frames have shown
    private State state = State.READING;
    private String message = "";
    private final Map<String, float[]> metrics = new HashMap<>();
    private final List<AtlasBlock> unshown = new ArrayList<>(); // of a prompt's layers that have read it
    private long lastFrame;

    /** Thrown by the hook to leave a pass. */
    static final class Abandoned extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    WatchedText(
            Transformer model, Tokenizer tokenizer, WatchRequest request, int text, int capacity,
            Consumer<Frame> frames, BooleanSupplier abandoned) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.request = request;
        this.text = text;
        this.frames = frames;
        this.abandoned = abandoned;
        this.atlas = new AtlasSpec(request.cells(), AtlasSpec.Pooling.MAXIMUM);
        this.sequence = model.sequence(capacity, Optional.of(atlas), true);
        this.chosen = new ChosenMap(model);
        for (Metric metric : request.metrics()) {
            float[] unknown = new float[layers() * heads()];
            Arrays.fill(unknown, Float.NaN);
            metrics.put(metric.key(), unknown);
        }
    }

    private int layers() {
        return model.config().layers();
    }

    private int heads() {
        return model.config().heads();
    }

    Sequence sequence() {
        return sequence;
    }

    /** Names the tokens of the next pass, before it. */
    void append(int... tokens) {
        Arrays.stream(tokens).forEach(ids::add);
        rate.begin(passes > 0);
    }

    /** Shows a head closely, at once if the prompt has been read. */
    void pick(int layer, int head) {
        chosen.pick(layer, head);
        if (passes > 0) {
            emit(List.of(), Optional.of(chosen.of(sequence, snapshot(Optional.empty()).head().orElseThrow())));
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
        emit(List.of(), Optional.empty());
    }

    /** The last frame of a text that cannot go on. It holds nothing of the pass that failed. */
    void fail(String why) {
        frames.accept(new Frame(
                text, State.FAILED, why, passes, named, List.of(), 0, Map.of(), atlas.bin(named), List.of(),
                Optional.empty(), rate.perSecond(), model.backend().liveBytes(), 0));
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
        AttentionSnapshot values = model.backend().snapshot(
                new AttentionSnapshot.Request(request.metrics(), Optional.of(0), Optional.empty()),
                attention.statistics(), attention.spec());
        write(values, layer, 1);
        unshown.addAll(blocks(values, layer, 1));
        if (System.nanoTime() - lastFrame > NANOS_BETWEEN_LAYERS && layer < layers() - 1) {
            emit(layer + 1, ids.size(), List.copyOf(unshown), Optional.empty());
            unshown.clear();
        }
    }

    /** Shows the pass that has ended; nothing if it is shown already. */
    void passed() {
        AttentionStatistics statistics = sequence.statistics();
        if (read == statistics.tokens()) {
            return;
        }
        read = statistics.tokens();
        rate.end();
        boolean prompt = passes == 0;
        AttentionSnapshot values = snapshot(prompt ? Optional.empty() : Optional.of(statistics.firstChangedRow()));
        List<AtlasBlock> changed = prompt ? List.copyOf(unshown) : blocks(values, 0, layers());
        unshown.clear();
        write(values, 0, layers());
        message = state == State.RUNNING ? message : "";
        state = State.RUNNING;
        emit(changed, Optional.of(chosen.of(sequence, values.head().orElseThrow())));
        passes++;
    }

    /** Of all layers, with the chosen head's vectors. */
    private AttentionSnapshot snapshot(Optional<Integer> firstRow) {
        return model.backend().snapshot(
                new AttentionSnapshot.Request(request.metrics(), firstRow, Optional.of(chosen.index())),
                sequence.statistics(), model.attentionSpec(chosen.layer()));
    }

    private void write(AttentionSnapshot snapshot, int layer, int count) {
        for (Metric metric : request.metrics()) {
            double[][] values = snapshot.metrics().of(metric);
            float[] all = metrics.get(metric.key());
            for (int i = 0; i < count * heads(); i++) {
                all[layer * heads() + i] = (float) values[i][0];
            }
        }
    }

    /** The cells of consecutive layers, a block for each. */
    private List<AtlasBlock> blocks(AttentionSnapshot snapshot, int layer, int count) {
        int first = snapshot.firstRow();
        int rows = atlas.rows(snapshot.tokens()) - first;
        int values = heads() * rows * atlas.side();
        List<AtlasBlock> blocks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            blocks.add(new AtlasBlock(
                    layer + i, first, rows, Arrays.copyOfRange(snapshot.cells(), i * values, (i + 1) * values)));
        }
        return blocks;
    }

    private void emit(List<AtlasBlock> blocks, Optional<ChosenHead> head) {
        emit(layers(), sequence.tokens(), blocks, head);
    }

    /** @param end number of tokens that the layers read so far have read */
    private void emit(int layersRead, int end, List<AtlasBlock> blocks, Optional<ChosenHead> head) {
        Map<String, float[]> values = new HashMap<>();
        metrics.forEach((key, all) -> values.put(key, all.clone()));
        frames.accept(new Frame(
                text, state, message, passes, named, names(end), layersRead, values, atlas.bin(end), blocks, head,
                rate.perSecond(), model.backend().liveBytes(), 0));
        named = end;
        lastFrame = System.nanoTime();
    }

    /** Names of the tokens up to this one that no frame has named yet. */
    private List<Token> names(int end) {
        int from = Math.max(0, named - NAME_CONTEXT);
        List<String> tokens = new ArrayList<>(List.of(TokenTable.DIFFERS));
        ids.subList(from, end).forEach(id -> tokens.add(tokenizer.token(id)));
        tokens.add(TokenTable.DIFFERS);
        List<String> names = TokenNames.of(tokens).subList(1 + named - from, tokens.size() - 1);
        List<Token> added = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            added.add(new Token(ids.get(named + i), names.get(i)));
        }
        return added;
    }

    @Override
    public void close() {
        sequence.close();
    }
}
