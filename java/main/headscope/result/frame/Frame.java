package headscope.result.frame;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.Stream;

/**
 * What is known of all heads after one pass of a model over the next tokens of a text, and what changed since the frame
 * before. Column sums, and what is computed from them, grow with later tokens: every value is that of the text so far.
 *
 * @param text            number of the text in the stream, from 0; a restart with another prompt begins the next one
 * @param state           what the model does
 * @param message         one line for the viewer: why the model failed or ended; may be empty
 * @param step            number of passes before this one; 0 is the pass over the prompt
 * @param firstToken      position of the first of these tokens
 * @param tokens          new since the frame before
 * @param layersRead      layers that have read the new tokens; the prompt's layers appear one after the other
 * @param metrics         by key, row-major [layers, heads]; NaN in layers that have read nothing
 * @param bin             tokens per cell of the atlas, a power of two; a frame that changes it holds the whole atlas
 * @param atlas           what changed, in this order
 * @param chosen          the head that a viewer has picked, once its layer has read the tokens
 * @param tokensPerSecond of the passes over new tokens so far; NaN before the second
 * @param memoryBytes     in use on the device
 * @param dropped         frames that the viewer did not show by themselves because it was busy
 * @param past            metrics after earlier tokens, for a viewer that begins in the middle of the text; otherwise empty,
 *                        and never part of a recording
 */
public record Frame(
        int text, State state, String message, int step, int firstToken, List<Token> tokens, int layersRead,
        Map<String, float[]> metrics, int bin, List<AtlasBlock> atlas, Optional<ChosenHead> chosen,
        double tokensPerSecond, long memoryBytes, long dropped, List<MetricPoint> past) {
    /** What the model does. */
    public enum State {
        READING,
        RUNNING,
        PAUSED,
        ENDED,
        FAILED
    }

    /**
     * A token of the text.
     *
     * @param name readable, such as "boria" or "\n"
     */
    public record Token(int id, String name) {}

    /**
     * Metrics of all heads when the text had this many tokens.
     *
     * @param metrics by key, row-major [layers, heads]
     */
    public record MetricPoint(int tokens, Map<String, float[]> metrics) {}

    /** Without a past. */
    public Frame(
            int text, State state, String message, int step, int firstToken, List<Token> tokens, int layersRead,
            Map<String, float[]> metrics, int bin, List<AtlasBlock> atlas, Optional<ChosenHead> chosen,
            double tokensPerSecond, long memoryBytes, long dropped) {
        this(text, state, message, step, firstToken, tokens, layersRead, metrics, bin, atlas, chosen, tokensPerSecond,
                memoryBytes, dropped, List.of());
    }

    public Frame {
        past = List.copyOf(past);
        tokens = List.copyOf(tokens);
        metrics = Map.copyOf(metrics);
        atlas = List.copyOf(atlas);
        if (text < 0 || step < 0 || firstToken < 0 || layersRead < 0 || bin < 1) {
            throw new IllegalArgumentException("text %d, step %d, token %d, %d layers, %d tokens per cell"
                    .formatted(text, step, firstToken, layersRead, bin));
        }
    }

    /** T: number of tokens of the text so far. */
    public int end() {
        return firstToken + tokens.size();
    }

    /** Number of cells that the text fills on each side of the atlas. */
    public int cells() {
        return (end() + bin - 1) / bin;
    }

    public Frame withDropped(long count) {
        return new Frame(
                text, state, message, step, firstToken, tokens, layersRead, metrics, bin, atlas, chosen, tokensPerSecond,
                memoryBytes, count, past);
    }

    /**
     * This frame and the next one of the stream as one, for a viewer that has seen neither. Takes at most as much memory
     * as a frame with the whole atlas and the whole map of the chosen head.
     */
    public Frame then(Frame next) {
        if (next.text != text) {
            return next;
        }
        List<Token> joined = new ArrayList<>(tokens.subList(0, Math.min(tokens.size(), next.firstToken - firstToken)));
        joined.addAll(next.tokens);
        return new Frame(
                text, next.state, next.message, next.step, firstToken, joined, next.layersRead, joined(metrics, next.metrics),
                next.bin, next.bin == bin ? joined(atlas, next.atlas) : next.atlas, joined(chosen, next.chosen),
                next.tokensPerSecond, next.memoryBytes, next.dropped, past);
    }

    private static Map<String, float[]> joined(Map<String, float[]> metrics, Map<String, float[]> next) {
        Map<String, float[]> joined = new HashMap<>(metrics);
        joined.putAll(next);
        return joined;
    }

    private record Place(int layer, int firstRow, int rows) {}

    /** Blocks that later ones overwrite are left out. */
    private static List<AtlasBlock> joined(List<AtlasBlock> atlas, List<AtlasBlock> next) {
        SequencedMap<Place, AtlasBlock> joined = new LinkedHashMap<>();
        Stream.concat(atlas.stream(), next.stream()).forEach(block ->
                joined.putLast(new Place(block.layer(), block.firstRow(), block.rows()), block));
        return List.copyOf(joined.values());
    }

    private static Optional<ChosenHead> joined(Optional<ChosenHead> chosen, Optional<ChosenHead> next) {
        if (chosen.isEmpty() || next.isEmpty()) {
            return next.or(() -> chosen);
        }
        return Optional.of(chosen.get().then(next.get()));
    }
}
