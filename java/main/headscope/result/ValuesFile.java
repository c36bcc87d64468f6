package headscope.result;

import headscope.tensor.StoredTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** {@code values.safetensors}: the tensors of a run. */
final class ValuesFile {
    static final String FILE = "values.safetensors";

    private ValuesFile() {}

    /** The slices of an fp32 tensor along its first axis. */
    static List<float[]> slices(StoredTensor tensor) {
        int count = Math.toIntExact(tensor.shape()[0]);
        float[] values = tensor.floats();
        List<float[]> slices = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int length = values.length / count;
            slices.add(Arrays.copyOfRange(values, i * length, (i + 1) * length));
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
