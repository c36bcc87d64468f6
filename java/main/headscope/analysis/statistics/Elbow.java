package headscope.analysis.statistics;

/**
 * The elbow of a descending curve: the point farthest from the chord between its first and last point. Without rescaling
 * of the axes, the distance is the vertical gap times a factor common to all points, so the largest gap decides.
 */
public final class Elbow {
    private Elbow() {}

    /**
     * Number of values before the elbow, the first of equally distant points; 0 if the curve is a straight line.
     *
     * @param descending at least one value
     */
    public static int before(double[] descending) {
        int last = descending.length - 1;
        int farthest = 0;
        double widest = 0;
        for (int i = 1; i < last; i++) {
            double chord = descending[0] + (descending[last] - descending[0]) * i / last;
            double gap = Math.abs(chord - descending[i]);
            if (gap > widest) {
                widest = gap;
                farthest = i;
            }
        }
        return farthest;
    }
}
