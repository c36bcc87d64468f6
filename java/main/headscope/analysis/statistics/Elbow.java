package headscope.analysis.statistics;

/**
 * Where a falling curve bends: the point farthest from the chord between its first point and its last. Axes are taken
 * as they are; then the distance is the vertical gap times one factor for all points, and the widest gap decides.
 */
public final class Elbow {
    private Elbow() {}

    /**
     * How many values stand before the bend; before the first of points that are equally far. 0 where the curve is its
     * chord.
     *
     * @param falling at least one
     */
    public static int before(double[] falling) {
        int last = falling.length - 1;
        int farthest = 0;
        double widest = 0;
        for (int i = 1; i < last; i++) {
            double chord = falling[0] + (falling[last] - falling[0]) * i / last;
            double gap = Math.abs(chord - falling[i]);
            if (gap > widest) {
                widest = gap;
                farthest = i;
            }
        }
        return farthest;
    }
}
