package headscope.analysis.functions;

import java.util.List;

/**
 * The probe's input: x' of each head, its own output followed by the mean output of its layer.
 *
 * @param outputs one array per text, [layers, heads, headDim]
 * @param heads   per layer
 */
record HeadFeatures(List<float[]> outputs, int layers, int heads, int headDim) {
    /** The features [texts, layers, heads, 2 * headDim] of some of the texts. */
    float[] of(int[] texts) {
        int perText = layers * heads * headDim;
        float[] features = new float[Math.multiplyExact(texts.length, 2 * perText)];
        for (int i = 0; i < texts.length; i++) {
            for (int layer = 0; layer < layers; layer++) {
                fill(features, i * 2 * perText, outputs.get(texts[i]), layer);
            }
        }
        return features;
    }

    private void fill(float[] features, int at, float[] output, int layer) {
        int first = layer * heads * headDim;
        for (int j = 0; j < headDim; j++) {
            double sum = 0;
            for (int head = 0; head < heads; head++) {
                sum += output[first + head * headDim + j];
            }
            for (int head = 0; head < heads; head++) {
                int row = at + 2 * (first + head * headDim);
                features[row + j] = output[first + head * headDim + j];
                features[row + headDim + j] = (float) (sum / heads);
            }
        }
    }
}
