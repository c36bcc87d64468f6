package headscope.result;

import headscope.tensor.StoredTensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** {@code values.safetensors}: the tensors of a run. */
final class ValuesFile {
    static final String FILE = "values.safetensors";

    private ValuesFile() {}

    /** The slices of an fp32 tensor along its first axis. */
    static List<float[]> slices(StoredTensor tensor) {
        int count = Math.toIntExact(tensor.shape()[0]);
        List<float[]> slices = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            float[] slice = new float[Math.toIntExact(tensor.count() / count)];
            tensor.copyTo((long) i * slice.length, MemorySegment.ofArray(slice));
            slices.add(slice);
        }
        return slices;
    }

    /** Rounds to fp32. */
    static float[] floats(double[] values) {
        float[] rounded = new float[values.length];
        for (int i = 0; i < rounded.length; i++) {
            rounded[i] = (float) values[i];
        }
        return rounded;
    }
}
