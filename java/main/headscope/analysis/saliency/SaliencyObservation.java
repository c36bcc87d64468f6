package headscope.analysis.saliency;

import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import headscope.tensor.SafetensorsWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What was seen of one text.
 *
 * @param target    the token that was explained
 * @param surprisal of the target, nats
 * @param largest   element of any head's map, nothing left out
 * @param heads     by name, one value per head each: [layers * heads]; NaN where there is none
 * @param blocks    sums over receiving and source group: [layers * heads * groups * groups]
 * @param small     maps made small: [layers * heads * side * side]
 * @param rows      sums over source tokens [layers * heads * tokens], as columns over receiving tokens and signed,
 *                  without the absolute value, over source tokens
 */
record SaliencyObservation(
        int target, float surprisal, float largest, Heads heads, float[] blocks, float[] small, float[] rows,
        float[] columns, float[] signed) {
    /**
     * One value per head each.
     *
     * @param gates with respect to a factor on the head's output; = the sum of the signed map
     */
    record Heads(float[] maximum, float[] mean, float[] aggregate, float[] gather, float[] gates) {
        float[] of(String column) {
            return switch (column) {
                case "maximum" -> maximum;
                case "mean" -> mean;
                case "aggregate_share" -> aggregate;
                case "gather_share" -> gather;
                case "gate_gradient" -> gates;
                default -> throw new IllegalArgumentException(column);
            };
        }
    }

    /** Of heads.csv, and tensors of values.safetensors. */
    static final List<String> COLUMNS = List.of("maximum", "mean", "aggregate_share", "gather_share", "gate_gradient");

    private static final List<String> MAPS = List.of("blocks", "small", "rows", "columns", "signed");

    private float[] map(String name) {
        return switch (name) {
            case "blocks" -> blocks;
            case "small" -> small;
            case "rows" -> rows;
            case "columns" -> columns;
            case "signed" -> signed;
            default -> throw new IllegalArgumentException(name);
        };
    }

    /** A finished text on disk, so that an interrupted run can go on behind it. */
    void write(Path file) {
        List<SafetensorsWriter.Layout> layouts = new ArrayList<>();
        COLUMNS.forEach(name -> layouts.add(new SafetensorsWriter.Layout(name, DType.F32, heads.of(name).length)));
        MAPS.forEach(name -> layouts.add(new SafetensorsWriter.Layout(name, DType.F32, map(name).length)));
        layouts.add(new SafetensorsWriter.Layout("surprisal", DType.F32, 1));
        layouts.add(new SafetensorsWriter.Layout("largest", DType.F32, 1));
        layouts.add(new SafetensorsWriter.Layout("target", DType.I64, 1));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of(), layouts)) {
            COLUMNS.forEach(name -> writer.append(name, heads.of(name)));
            MAPS.forEach(name -> writer.append(name, map(name)));
            writer.append("surprisal", new float[] {surprisal});
            writer.append("largest", new float[] {largest});
            writer.append("target", (long) target);
            writer.commitUnforced();
        }
    }

    /** Empty where there is none, or only part of one. */
    static Optional<SaliencyObservation> read(Path file) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try (Safetensors stored = Safetensors.open(file)) {
            Heads heads = new Heads(
                    stored.get("maximum").floats(), stored.get("mean").floats(),
                    stored.get("aggregate_share").floats(), stored.get("gather_share").floats(),
                    stored.get("gate_gradient").floats());
            return Optional.of(new SaliencyObservation(
                    Math.toIntExact(stored.get("target").longs()[0]), stored.get("surprisal").floats()[0],
                    stored.get("largest").floats()[0], heads, stored.get("blocks").floats(),
                    stored.get("small").floats(), stored.get("rows").floats(), stored.get("columns").floats(),
                    stored.get("signed").floats()));
        } catch (ModelFormatException damaged) {
            return Optional.empty();
        }
    }
}
