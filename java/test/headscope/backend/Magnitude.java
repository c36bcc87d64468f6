package headscope.backend;

/** Absolute values, from which tolerances are derived. */
final class Magnitude {
    private Magnitude() {}

    static float[] of(float[] values) {
        float[] absolute = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            absolute[i] = Math.abs(values[i]);
        }
        return absolute;
    }

    /** The largest absolute value; 0 without values. */
    static float largest(float[] values) {
        float largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }
}
