package headscope.result;

/**
 * One value per head of a model.
 *
 * @param title  heading of the map
 * @param unit   label of the colour bar
 * @param values row-major [layers, heads]; NaN where a head has no value
 */
public record HeadMap(String title, String unit, int layers, int heads, float[] values) {
    public HeadMap {
        if (layers < 1 || heads < 1 || values.length != Math.multiplyExact(layers, heads)) {
            throw new IllegalArgumentException(
                    "%s: %d values for %d layers x %d heads".formatted(title, values.length, layers, heads));
        }
        values = values.clone();
    }

    /** A map of values rounded to fp32. */
    public static HeadMap of(String title, String unit, int layers, int heads, double[] values) {
        return new HeadMap(title, unit, layers, heads, ValuesFile.floats(values));
    }

    /** A copy, row-major [layers, heads]. */
    @Override
    public float[] values() {
        return values.clone();
    }
}
