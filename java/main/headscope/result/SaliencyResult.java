package headscope.result;

import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import headscope.tensor.SafetensorsWriter;
import headscope.tensor.SafetensorsWriter.Layout;
import headscope.tensor.StoredTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/**
 * The run folder of a saliency analysis: {@code manifest.json}, {@code heads.csv}, {@code tokens.csv} and
 * {@code values.safetensors}.
 *
 * @param means             of each column over the texts that have a value, [layers, heads]
 * @param tokens            T rows and columns of the enlarged map
 * @param map               the enlarged map [T, T]: a row per receiving token, a column per source token
 * @param thumbnails        a small map per head, if the overview shows them
 * @param texts             what was measured of each text
 * @param sums              of the maps of a single text
 * @param ablatedSurprisal  per text: the surprisal of its answer under each set of ablated heads, nats; may be empty
 * @param maps              further enlarged maps, each [T, T], of {@link #chosen}
 */
public record SaliencyResult(
        Manifest manifest, int layers, int heads, Map<SaliencyColumn, double[]> means, TokenTable tokens, float[] map,
        Optional<Thumbnails> thumbnails, List<TextValues> texts, Optional<Sums> sums, List<float[]> ablatedSurprisal,
        List<float[]> maps) {
    /** {@link Manifest#analysis} of the run. */
    public static final String ANALYSIS = "saliency";

    /** Manifest key: whether source tokens are on the y axis of the figure. */
    public static final String TRANSPOSE = "transpose";

    /** Manifest key: the unit of the enlarged map. */
    public static final String UNIT = "unit";

    /** Manifest key: the unit of the elements of token maps; the enlarged map sums them between groups. */
    public static final String OVERVIEW_UNIT = "overview_unit";

    /** Manifest key of the enlarged head, an object of {@link #LAYER} and {@link #HEAD}. */
    public static final String HEAD = "head";

    /** Manifest key: the layer of the enlarged head, from 0. */
    public static final String LAYER = "layer";

    /** Manifest key, among the settings: what the overview shows of each head, a {@link SaliencyCell}. */
    public static final String CELL = "cell";

    /** Manifest key: the heads of further maps, objects of {@link #LAYER}, {@link #HEAD} and {@link #MAP_CAPTION}. */
    public static final String MAPS = "maps";

    /** Manifest key: the caption of the figure of a further map. */
    public static final String MAP_CAPTION = "caption";

    private static final String SURPRISAL = "surprisal";
    private static final String TARGET = "target";
    private static final String BLOCKS = "blocks";
    private static final String MAP = "map";
    private static final String THUMBNAILS = "thumbnails";
    private static final String ROWS = "rows";
    private static final String COLUMNS = "columns";
    private static final String SIGNED = "signed";
    private static final String ABLATED = "ablated_surprisal";

    /** @param values [layers, heads, side, side] */
    public record Thumbnails(int side, float[] values) {}

    /**
     * One text.
     *
     * @param surprisal of the target, nats
     * @param heads     one value per head, [layers, heads]
     * @param blocks    sums over receiving and source group, [layers, heads, groups, groups]; empty without groups
     */
    public record TextValues(long target, float surprisal, Map<SaliencyColumn, float[]> heads, float[] blocks) {}

    /**
     * Sums of each head's map, each [layers, heads, T].
     *
     * @param rows    over source tokens
     * @param columns over receiving tokens
     * @param signed  over source tokens, without the absolute value
     */
    public record Sums(float[] rows, float[] columns, float[] signed) {}

    /** @throws RunFolderException if a file cannot be written */
    public void write(RunFolder folder) {
        SequencedMap<String, double[]> columns = new LinkedHashMap<>();
        for (SaliencyColumn column : SaliencyColumn.values()) {
            columns.put(column.key(), means.get(column));
        }
        new HeadTable(layers, heads, columns).write(folder.file(HeadTable.FILE));
        tokens.write(folder.file(TokenTable.FILE));
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(folder.file(ValuesFile.FILE), Map.of(), layouts())) {
            for (TextValues text : texts) {
                text.heads().forEach((column, values) -> writer.append(column.key(), values));
                writer.append(SURPRISAL, text.surprisal());
                writer.append(TARGET, text.target());
                if (text.blocks().length > 0) {
                    writer.append(BLOCKS, text.blocks());
                }
            }
            writer.append(MAP, map);
            maps.forEach(values -> writer.append(MAPS, values));
            thumbnails.ifPresent(small -> writer.append(THUMBNAILS, small.values()));
            sums.ifPresent(of -> {
                writer.append(ROWS, of.rows());
                writer.append(COLUMNS, of.columns());
                writer.append(SIGNED, of.signed());
            });
            ablatedSurprisal.forEach(values -> writer.append(ABLATED, values));
            writer.commit();
        }
        manifest.write(folder.file(RunFolder.MANIFEST));
    }

    private List<Layout> layouts() {
        int count = texts.size();
        int side = tokens.tokens().size();
        List<Layout> layouts = new ArrayList<>();
        for (SaliencyColumn column : SaliencyColumn.values()) {
            layouts.add(new Layout(column.key(), DType.F32, count, layers, heads));
        }
        layouts.add(new Layout(SURPRISAL, DType.F32, count));
        layouts.add(new Layout(TARGET, DType.I64, count));
        int groups = (int) Math.sqrt(texts.getFirst().blocks().length / (layers * heads));
        if (groups > 0) {
            layouts.add(new Layout(BLOCKS, DType.F32, count, layers, heads, groups, groups));
        }
        layouts.add(new Layout(MAP, DType.F32, side, side));
        if (!maps.isEmpty()) {
            layouts.add(new Layout(MAPS, DType.F32, maps.size(), side, side));
        }
        thumbnails.ifPresent(small ->
                layouts.add(new Layout(THUMBNAILS, DType.F32, layers, heads, small.side(), small.side())));
        if (sums.isPresent()) {
            for (String name : List.of(ROWS, COLUMNS, SIGNED)) {
                layouts.add(new Layout(name, DType.F32, layers, heads, side));
            }
        }
        if (!ablatedSurprisal.isEmpty()) {
            layouts.add(new Layout(ABLATED, DType.F32, ablatedSurprisal.size(), ablatedSurprisal.getFirst().length));
        }
        return layouts;
    }

    /**
     * @throws ResultFormatException if a file is missing or malformed
     * @throws ModelFormatException  if that file is {@code values.safetensors}
     */
    public static SaliencyResult read(Path folder) {
        Manifest manifest = Manifest.read(folder);
        Path heads = folder.resolve(HeadTable.FILE);
        HeadTable table = HeadTable.read(heads);
        Map<SaliencyColumn, double[]> means = new EnumMap<>(SaliencyColumn.class);
        for (SaliencyColumn column : SaliencyColumn.values()) {
            means.put(column, table.column(heads, column.key()));
        }
        try (Safetensors values = Safetensors.open(folder.resolve(ValuesFile.FILE))) {
            return new SaliencyResult(
                    manifest, table.layers(), table.heads(), means,
                    TokenTable.read(folder.resolve(TokenTable.FILE)), values.get(MAP).floats(),
                    values.has(THUMBNAILS) || cell(manifest) == SaliencyCell.THUMBNAIL
                            ? Optional.of(thumbnails(values.get(THUMBNAILS))) : Optional.empty(),
                    texts(values),
                    values.has(ROWS) ? Optional.of(new Sums(values.get(ROWS).floats(), values.get(COLUMNS).floats(),
                            values.get(SIGNED).floats())) : Optional.empty(),
                    values.has(ABLATED) ? ValuesFile.slices(values.get(ABLATED)) : List.of(),
                    values.has(MAPS) ? ValuesFile.slices(values.get(MAPS)) : List.of());
        }
    }

    private static Thumbnails thumbnails(StoredTensor small) {
        if (small.shape().length != 4) {
            throw new ResultFormatException(small.file(), "tensor %s has the shape %s, not [layers, heads, side, side]"
                    .formatted(small.name(), Arrays.toString(small.shape())));
        }
        return new Thumbnails((int) small.shape()[2], small.floats());
    }

    private static List<TextValues> texts(Safetensors values) {
        Map<SaliencyColumn, List<float[]>> columns = new EnumMap<>(SaliencyColumn.class);
        for (SaliencyColumn column : SaliencyColumn.values()) {
            columns.put(column, ValuesFile.slices(values.get(column.key())));
        }
        long[] targets = values.get(TARGET).longs();
        float[] surprisals = values.get(SURPRISAL).floats();
        List<float[]> blocks = values.has(BLOCKS) ? ValuesFile.slices(values.get(BLOCKS)) : List.of();
        List<TextValues> texts = new ArrayList<>();
        for (int i = 0; i < targets.length; i++) {
            Map<SaliencyColumn, float[]> heads = new EnumMap<>(SaliencyColumn.class);
            for (SaliencyColumn column : SaliencyColumn.values()) {
                heads.put(column, columns.get(column).get(i));
            }
            texts.add(new TextValues(
                    targets[i], surprisals[i], heads, blocks.isEmpty() ? new float[0] : blocks.get(i)));
        }
        return texts;
    }

    public boolean transpose() {
        return manifest.flag("/" + TRANSPOSE);
    }

    /** The unit of the enlarged map. */
    public String unit() {
        return manifest.text("/" + UNIT);
    }

    /** The unit of the elements of token maps. */
    public String overviewUnit() {
        return manifest.json().has(OVERVIEW_UNIT) ? manifest.text("/" + OVERVIEW_UNIT) : unit();
    }

    /** The layer of the enlarged head, from 0. */
    public int enlargedLayer() {
        return manifest.wholeNumber("/%s/%s".formatted(HEAD, LAYER));
    }

    /** The enlarged head within its layer, from 0. */
    public int enlargedHead() {
        return manifest.wholeNumber("/%s/%s".formatted(HEAD, HEAD));
    }

    /**
     * A head with a further map.
     *
     * @param layer   from 0
     * @param head    within its layer, from 0
     * @param caption of its figure
     * @param map     [T, T], like {@link SaliencyResult#map}
     */
    public record Chosen(int layer, int head, String caption, float[] map) {}

    /** The further maps with their heads. */
    public List<Chosen> chosen() {
        return IntStream.range(0, maps.size())
                .mapToObj(i -> {
                    String at = "/%s/%d/".formatted(MAPS, i);
                    return new Chosen(manifest.wholeNumber(at + LAYER), manifest.wholeNumber(at + HEAD),
                            manifest.text(at + MAP_CAPTION), maps.get(i));
                })
                .toList();
    }

    public SaliencyCell cell() {
        return cell(manifest);
    }

    private static SaliencyCell cell(Manifest manifest) {
        return manifest.constant("/settings/" + CELL, SaliencyCell.class);
    }
}
