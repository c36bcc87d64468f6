package headscope.analysis.functions;

import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import headscope.tensor.SafetensorsWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What was seen of one text, on disk, so that an interrupted run can go on behind it. */
final class SeenFile {
    private SeenFile() {}

    static void write(Path file, AnswerReader.Seen seen) {
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of(), List.of(
                new SafetensorsWriter.Layout("outputs", DType.F32, seen.outputs().length),
                new SafetensorsWriter.Layout("said", DType.I64, seen.said().length)))) {
            writer.append("outputs", seen.outputs());
            writer.append("said", Arrays.stream(seen.said()).asLongStream().toArray());
            writer.commitUnforced();
        }
    }

    /** Empty where there is none, or only part of one. */
    static Optional<AnswerReader.Seen> read(Path file) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try (Safetensors stored = Safetensors.open(file)) {
            return Optional.of(new AnswerReader.Seen(stored.get("outputs").floats(),
                    Arrays.stream(stored.get("said").longs()).mapToInt(Math::toIntExact).toArray()));
        } catch (ModelFormatException damaged) {
            return Optional.empty();
        }
    }
}
