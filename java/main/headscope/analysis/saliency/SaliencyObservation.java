package headscope.analysis.saliency;

import headscope.analysis.ProgressFile;
import headscope.result.SaliencyColumn;
import headscope.result.SaliencyResult;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/**
 * What was measured of one text.
 *
 * @param target    the token whose prediction is explained
 * @param surprisal of the target, nats
 * @param largest   largest element of any head's map, the first source column included
 * @param heads     one value per head and column, [layers, heads]; NaN where a head has none
 * @param blocks    sums over receiving and source group, [layers, heads, groups, groups]
 * @param small     thumbnails of the maps, [layers, heads, side, side]
 * @param rows      sums over source tokens, [layers, heads, tokens]
 * @param columns   sums over receiving tokens, [layers, heads, tokens]
 * @param signed    sums over source tokens without the absolute value, [layers, heads, tokens]
 */
record SaliencyObservation(
        int target, float surprisal, float largest, Map<SaliencyColumn, float[]> heads, float[] blocks, float[] small,
        float[] rows, float[] columns, float[] signed) {
    static final ProgressFile<SaliencyObservation> FILE = new ProgressFile<>(
            text -> {
                Map<String, float[]> floats = new HashMap<>(Map.of(
                        "surprisal", new float[] {text.surprisal}, "largest", new float[] {text.largest},
                        "blocks", text.blocks, "small", text.small, "rows", text.rows, "columns", text.columns,
                        "signed", text.signed));
                text.heads.forEach((column, values) -> floats.put(column.name(), values));
                return new ProgressFile.Contents(Map.of(), floats, Map.of("target", new long[] {text.target}));
            },
            stored -> {
                Map<SaliencyColumn, float[]> heads = new EnumMap<>(SaliencyColumn.class);
                for (SaliencyColumn column : SaliencyColumn.values()) {
                    heads.put(column, stored.get(column.name()).floats());
                }
                return new SaliencyObservation(
                        Math.toIntExact(stored.get("target").longs()[0]), stored.get("surprisal").floats()[0],
                        stored.get("largest").floats()[0], heads, stored.get("blocks").floats(),
                        stored.get("small").floats(), stored.get("rows").floats(), stored.get("columns").floats(),
                        stored.get("signed").floats());
            });

    /** The values in the form stored in the run folder. @param withBlocks whether all texts have the same groups */
    SaliencyResult.TextValues result(boolean withBlocks) {
        return new SaliencyResult.TextValues(target, surprisal, heads, withBlocks ? blocks : new float[0]);
    }
}
