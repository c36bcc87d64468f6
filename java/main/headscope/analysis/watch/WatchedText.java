package headscope.analysis.watch;

import headscope.metric.LayerResult;
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

/** One text as it grows in a model: observes every pass and gives its frames. */
final class WatchedText implements LayerHook, AutoCloseable {
    /** A prompt's layers are shown as they come, but not more often than this. */
    private static final long NANOS_BETWEEN_LAYERS = 30_000_000;

    /** Tokens before a new one that decide how it is named: enough for the bytes of one character. */
    private static final int NAME_CONTEXT = 16;

    private final Transformer model;
    private final Tokenizer tokenizer;
    private final WatchRequest request;
    private final int text;
    private final Consumer<Frame> frames;
    private final BooleanSupplier abandoned;
    private final Sequence sequence;
    private final LayerMaps maps;
    private final Rate rate = new Rate();

    private final List<Integer> ids = new ArrayList<>();
    private int shown; // tokens that frames have named
    private int step;
    private State state = State.READING;
    private String message = "";
    private final Map<String, float[]> metrics = new HashMap<>();
    private final List<AtlasBlock> blocks = new ArrayList<>();
    private Optional<ChosenHead> chosen = Optional.empty();
    private long lastFrame;
    private int shownBin = 1;

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
        this.sequence = model.sequence(capacity);
        this.maps = new LayerMaps(model, sequence, capacity, request.cells());
        for (Metric metric : request.metrics()) {
            float[] unknown = new float[model.config().layers() * model.config().heads()];
            Arrays.fill(unknown, Float.NaN);
            metrics.put(metric.key(), unknown);
        }
    }

    Sequence sequence() {
        return sequence;
    }

    /** Names the tokens of the next pass. */
    void append(int[] tokens) {
        Arrays.stream(tokens).forEach(ids::add);
    }

    /** Shows a head closely, at once if its layer has read the text. */
    void pick(int layer, int head) {
        maps.pick(layer, head);
        if (sequence.tokens() > 0) {
            chosen = Optional.of(maps.chosen());
            emit(model.config().layers());
        }
    }

    /** Tells viewers what the model does, unless they know. */
    void announce(State next, String why) {
        if (state != next) {
            state = next;
            say(why);
        }
    }

    /** Shows viewers one line until the state changes. */
    void say(String line) {
        message = line;
        emit(model.config().layers());
    }

    /** The last frame of a text that cannot go on. It holds nothing of the pass that failed. */
    void fail(String why) {
        frames.accept(new Frame(
                text, State.FAILED, why, step, shown, List.of(), 0, Map.of(), shownBin, List.of(), Optional.empty(),
                rate.perSecond(), model.backend().liveBytes(), 0));
    }

    /** Reads the tokens that have not been read, so that every token that is shown has its row. */
    void finish() {
        int read = sequence.tokens();
        if (read < ids.size()) {
            int[] rest = ids.subList(read, ids.size()).stream().mapToInt(Integer::intValue).toArray();
            model.forward(sequence, rest, this);
        }
        announce(State.ENDED, "");
    }

    @Override
    public void attention(int layer, Attention attention) {
        if (abandoned.getAsBoolean()) {
            throw new Abandoned();
        }
        if (layer == 0) {
            rate.begin(step > 0);
        }
        measure(layer, attention);
        blocks.add(maps.add(layer, attention));
        if (maps.isChosen(layer)) {
            chosen = Optional.of(maps.chosen(attention));
        }
        int layersRead = layer + 1;
        if (layersRead == model.config().layers()) {
            rate.end();
            message = state == State.RUNNING ? message : "";
            state = State.RUNNING;
            emit(layersRead);
            step++;
        } else if (step == 0 && System.nanoTime() - lastFrame > NANOS_BETWEEN_LAYERS) {
            emit(layersRead);
        }
    }

    private void measure(int layer, Attention attention) {
        LayerResult result = model.backend().measure(request.metrics(), attention.statistics(), attention.spec());
        int heads = model.config().heads();
        for (Metric metric : request.metrics()) {
            double[][] values = result.of(metric);
            float[] all = metrics.get(metric.key());
            for (int head = 0; head < heads; head++) {
                all[layer * heads + head] = (float) values[head][0];
            }
        }
    }

    private void emit(int layersRead) {
        Map<String, float[]> values = new HashMap<>();
        metrics.forEach((key, all) -> values.put(key, all.clone()));
        frames.accept(new Frame(
                text, state, message, step, shown, names(), layersRead, values, maps.bin(), List.copyOf(blocks), chosen,
                rate.perSecond(), model.backend().liveBytes(), 0));
        shown = ids.size();
        shownBin = maps.bin();
        blocks.clear();
        chosen = Optional.empty();
        lastFrame = System.nanoTime();
    }

    /** Names of the tokens that no frame has named yet. */
    private List<Token> names() {
        int from = Math.max(0, shown - NAME_CONTEXT);
        List<String> tokens = new ArrayList<>(List.of(TokenTable.DIFFERS));
        ids.subList(from, ids.size()).forEach(id -> tokens.add(tokenizer.token(id)));
        tokens.add(TokenTable.DIFFERS);
        List<String> names = TokenNames.of(tokens).subList(1 + shown - from, tokens.size() - 1);
        List<Token> named = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            named.add(new Token(ids.get(shown + i), names.get(i)));
        }
        return named;
    }

    @Override
    public void close() {
        maps.close();
        sequence.close();
    }
}
