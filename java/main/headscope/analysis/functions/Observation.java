package headscope.analysis.functions;

import headscope.analysis.ProgressFile;
import java.util.Arrays;
import java.util.Map;

/**
 * What was read from the model for one text.
 *
 * @param outputs   of all heads, mean over the rows that predict the chosen answer tokens, [layers, heads, headDim]
 * @param predicted the model's most probable token at the place of each answer token
 */
record Observation(float[] outputs, int[] predicted) {
    static final ProgressFile<Observation> FILE = new ProgressFile<>(
            text -> new ProgressFile.Contents(Map.of(), Map.of("outputs", text.outputs),
                    Map.of("predicted", Arrays.stream(text.predicted).asLongStream().toArray())),
            stored -> new Observation(stored.get("outputs").floats(),
                    Arrays.stream(stored.get("predicted").longs()).mapToInt(Math::toIntExact).toArray()));
}
