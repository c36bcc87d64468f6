package headscope.render.layout;

import java.util.ArrayList;
import java.util.List;

/** Chooses which names of cells are shown, and at which size. */
final class CellNames {
    private static final double SIZE = 14;

    /** Names shrink down to this size before some are omitted. */
    private static final double MIN_SIZE = 9.5;

    /** Longer names of tokens are shortened. */
    static final double MAX_LENGTH = 120;

    private CellNames() {}

    /**
     * All names, or every n-th if there is no room for all; then those have tick marks.
     *
     * @param longest length of a name, in units
     * @param length  of all cells, in pixels
     */
    static AxisLabels of(List<String> names, double longest, int length, Sheet sheet) {
        double cell = (double) length / names.size();
        float size = sheet.size(SIZE);
        while (height(size, sheet) > cell && size > sheet.size(MIN_SIZE)) {
            size = Math.max(sheet.size(MIN_SIZE), size - sheet.size(0.25));
        }
        int height = height(size, sheet);
        int step = Math.max(1, Sheet.up(height / cell));
        List<String> texts = new ArrayList<>();
        List<Double> positions = new ArrayList<>();
        for (int i = step / 2; i < names.size(); i += step) {
            boolean within = (i + 0.5) * cell + height / 2.0 <= length;
            if (within || step == 1 || texts.isEmpty()) {
                texts.add(sheet.shortened(names.get(i), size, sheet.size(longest)));
                positions.add((i + 0.5) * length / names.size());
            }
        }
        return new AxisLabels(List.copyOf(texts), positions.stream().mapToDouble(position -> position).toArray(), size,
                true, step > 1, false);
    }

    /** Pixels between the baselines of neighbouring names. */
    private static int height(float size, Sheet sheet) {
        return sheet.lineHeight(size) + sheet.px(1);
    }
}
