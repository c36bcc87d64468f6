package headscope.live;

import headscope.render.screen.CellValues;
import headscope.result.frame.AtlasBlock;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.Token;
import headscope.result.frame.FrameSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The text so far, as its frames add up. Belongs to one viewer and its thread. */
public final class LiveText {
    private static final int MIN_SIDE = 64;

    private final FrameSource source;
    private final List<Token> tokens = new ArrayList<>();
    private final MetricHistory history;
    private final Map<String, float[]> metrics = new HashMap<>();
    private final float[] atlas;
    private final long[] atlasChanged; // [layers, P]: number of the change that wrote a row
    private int mapSide;
    private float[] map = new float[0]; // [mapSide, mapSide]: the chosen head's map, then zeros
    private long[] mapChanged = new long[0]; // [mapSide]
    private long change = 1;
    private int promptTokens;
    private Optional<ChosenHead> chosen = Optional.empty();
    private Optional<Frame> frame = Optional.empty();

    public LiveText(FrameSource source) {
        this.source = source;
        this.atlas = new float[source.layers() * source.heads() * source.side() * source.side()];
        this.atlasChanged = new long[source.layers() * source.side()];
        Arrays.fill(atlasChanged, change);
        this.history = new MetricHistory(source.layers() * source.heads());
    }

    public FrameSource source() {
        return source;
    }

    /** Adds the next frame of the stream. */
    public void add(Frame next) {
        change++;
        if (frame.isEmpty() || frame.get().text() != next.text()) {
            clear();
        }
        if (next.firstToken() > tokens.size()) {
            throw new IllegalArgumentException(
                    "a frame from token %d after %d tokens".formatted(next.firstToken(), tokens.size()));
        }
        tokens.subList(next.firstToken(), tokens.size()).clear();
        tokens.addAll(next.tokens());
        metrics.putAll(next.metrics());
        if (!next.past().isEmpty()) {
            history.begin(next.past());
        }
        if (next.layersRead() == source.layers()) {
            promptTokens = promptTokens == 0 ? next.end() - next.step() : promptTokens;
            history.add(next.end(), metrics);
        }
        if (frame.isPresent() && frame.get().bin() != next.bin()) {
            clearAtlas();
        }
        next.atlas().forEach(this::write);
        next.chosen().ifPresent(this::write);
        frame = Optional.of(next);
    }

    private void clear() {
        tokens.clear();
        history.clear();
        metrics.clear();
        promptTokens = 0;
        clearAtlas();
        chosen = Optional.empty();
        mapSide = 0;
        map = new float[0];
        mapChanged = new long[0];
        frame = Optional.empty();
    }

    private void clearAtlas() {
        Arrays.fill(atlas, 0);
        Arrays.fill(atlasChanged, change);
    }

    private void write(AtlasBlock block) {
        int side = source.side();
        int width = block.rows() * side;
        for (int head = 0; head < source.heads(); head++) {
            System.arraycopy(block.values(), head * width, atlas,
                    ((block.layer() * source.heads() + head) * side + block.firstRow()) * side, width);
        }
        int first = block.layer() * side + block.firstRow();
        Arrays.fill(atlasChanged, first, first + block.rows(), change);
    }

    private void write(ChosenHead next) {
        if (next.firstRow() == 0) {
            mapSide = side(next.columns());
            map = new float[mapSide * mapSide];
            mapChanged = new long[mapSide];
            Arrays.fill(mapChanged, change);
        } else if (next.columns() > mapSide) {
            float[] before = map;
            int side = mapSide;
            mapSide = side(next.columns());
            map = new float[mapSide * mapSide];
            for (int row = 0; row < side; row++) {
                System.arraycopy(before, row * side, map, row * mapSide, side);
            }
            mapChanged = Arrays.copyOf(mapChanged, mapSide);
        }
        for (int row = 0; row < next.rows(); row++) {
            System.arraycopy(next.values(), row * next.columns(), map, (next.firstRow() + row) * mapSide, next.columns());
        }
        Arrays.fill(mapChanged, next.firstRow(), next.firstRow() + next.rows(), change);
        chosen = Optional.of(next);
    }

    /** Room for a map that grows: a power of two, so that it is seldom copied. */
    private static int side(int columns) {
        return Math.max(MIN_SIDE, Integer.highestOneBit(2 * columns - 1));
    }

    /** The newest frame; empty before the first. */
    public Optional<Frame> frame() {
        return frame;
    }

    /** Length of the prompt; 0 until it has been read. */
    public int promptTokens() {
        return promptTokens;
    }

    public List<Token> tokens() {
        return Collections.unmodifiableList(tokens);
    }

    /** [layers, heads, P, P]; changed by the next {@link #add}. */
    public float[] atlas() {
        return atlas;
    }

    /** {@link #atlas} with its changes. */
    public CellValues atlasCells() {
        return new CellValues("atlas", source.layers(), source.heads(), source.side(), atlas, atlasChanged);
    }

    /**
     * {@link #map} with its changes, and with zeros behind each row and the last row; empty before the first frame that has
     * one.
     */
    public Optional<CellValues> mapCells() {
        return chosen.map(_ -> new CellValues("map", 1, 1, mapSide, map, mapChanged));
    }

    /** {@link #metric} as a grid of single cells. */
    public Optional<CellValues> metricCells(String key) {
        long[] changed = new long[source.layers()];
        Arrays.fill(changed, change);
        return metric(key).map(values ->
                new CellValues("metric " + key, source.layers(), source.heads(), 1, values, changed));
    }

    /** The newest values of a metric [layers, heads]; empty before the first frame that has them. */
    public Optional<float[]> metric(String key) {
        return Optional.ofNullable(metrics.get(key));
    }

    public MetricHistory history() {
        return history;
    }

    /** The head that is shown closely: its newest frame, whose rows are part of {@link #map}. */
    public Optional<ChosenHead> chosen() {
        return chosen;
    }

    /** A copy of the chosen head's map, row-major [columns, columns] of {@link #chosen}; empty if there is none. */
    public float[] map() {
        int columns = chosen.map(ChosenHead::columns).orElse(0);
        float[] copy = new float[columns * columns];
        for (int row = 0; row < columns; row++) {
            System.arraycopy(map, row * mapSide, copy, row * columns, columns);
        }
        return copy;
    }

    /** A cell of the chosen head's map. */
    public float mapValue(int row, int column) {
        return map[row * mapSide + column];
    }
}
