package headscope.analysis;

import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import headscope.tensor.SafetensorsWriter;
import headscope.tensor.SafetensorsWriter.Layout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * How a finished part of a run is stored in the progress folder, from which an interrupted run resumes.
 *
 * @param encode from a value to the contents of its file
 * @param decode from the file back to the value
 */
public record ProgressFile<T>(Function<T, Contents> encode, Function<Safetensors, T> decode) {
    /**
     * The contents of a file, by name.
     *
     * @param metadata strings
     * @param floats   fp32 tensors
     * @param integers 64-bit tensors
     */
    public record Contents(Map<String, String> metadata, Map<String, float[]> floats, Map<String, long[]> integers) {}

    void write(Path file, T value) {
        Contents contents = encode.apply(value);
        List<Layout> layouts = new ArrayList<>();
        contents.floats.forEach((name, values) -> layouts.add(new Layout(name, DType.F32, values.length)));
        contents.integers.forEach((name, values) -> layouts.add(new Layout(name, DType.I64, values.length)));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, contents.metadata, layouts)) {
            contents.floats.forEach(writer::append);
            contents.integers.forEach(writer::append);
            writer.commitUnforced();
        }
    }

    /** Empty if there is no file, or a damaged one. */
    Optional<T> read(Path file) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try (Safetensors stored = Safetensors.open(file)) {
            return Optional.of(decode.apply(stored));
        } catch (ModelFormatException damaged) {
            return Optional.empty();
        }
    }
}
