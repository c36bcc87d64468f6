package headscope.analysis.gates;

import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import headscope.tensor.SafetensorsWriter;
import headscope.tensor.StoredTensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A finished fit on disk, so that an interrupted run can go on behind it. */
final class FittedMasksFile {
    private FittedMasksFile() {}

    static void write(Path file, FittedMasks fitted) {
        try (SafetensorsWriter writer = SafetensorsWriter.create(
                file, Map.of(), List.of(layout("theta", fitted.theta()), layout("nll", fitted.nll())))) {
            for (int seed = 0; seed < fitted.seeds(); seed++) {
                writer.append("theta", fitted.theta()[seed]);
                writer.append("nll", fitted.nll()[seed]);
            }
            writer.commitUnforced();
        }
    }

    private static SafetensorsWriter.Layout layout(String name, float[][] rows) {
        return new SafetensorsWriter.Layout(name, DType.F32, rows.length, rows[0].length);
    }

    /** Empty where there is none, or only part of one. */
    static Optional<FittedMasks> read(Path file) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try (Safetensors stored = Safetensors.open(file)) {
            return Optional.of(new FittedMasks(rows(stored.get("theta")), rows(stored.get("nll"))));
        } catch (ModelFormatException damaged) {
            return Optional.empty();
        }
    }

    private static float[][] rows(StoredTensor tensor) {
        int width = Math.toIntExact(tensor.shape()[1]);
        float[] values = tensor.floats();
        float[][] rows = new float[values.length / width][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = Arrays.copyOfRange(values, i * width, (i + 1) * width);
        }
        return rows;
    }
}
