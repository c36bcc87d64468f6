package headscope.render;

import java.util.ArrayList;
import java.util.List;

/**
 * The names of cells for which there is room, in the middle of the cells that each stands for.
 *
 * @param size  pixels per em
 * @param cells those that are named
 * @param texts their names, too long ones shortened
 * @param all   whether every cell is named
 */
record CellNames(float size, List<Integer> cells, List<String> texts, boolean all) {
    private static final double SIZE = 14;

    /** So far names shrink before some are left out. */
    private static final double SMALLEST_SIZE = 9.5;

    /** A longer name is shortened. */
    private static final double LONGEST = 120;

    /** @param length of all cells, in pixels */
    static CellNames of(List<String> names, int length, Sheet sheet) {
        double cell = (double) length / names.size();
        float size = sheet.size(SIZE);
        while (room(size, sheet) > cell && size > sheet.size(SMALLEST_SIZE)) {
            size = Math.max(sheet.size(SMALLEST_SIZE), size - sheet.size(0.25));
        }
        int step = Math.max(1, Sheet.up(room(size, sheet) / cell));
        List<Integer> cells = new ArrayList<>();
        List<String> texts = new ArrayList<>();
        for (int i = step / 2; i < names.size(); i += step) {
            boolean within = (i + 0.5) * cell + room(size, sheet) / 2.0 <= length;
            if (within || step == 1 || cells.isEmpty()) {
                cells.add(i);
                texts.add(sheet.shortened(names.get(i), size, sheet.size(LONGEST)));
            }
        }
        return new CellNames(size, List.copyOf(cells), List.copyOf(texts), step == 1);
    }

    /** Across a name, in pixels; none stands closer to the end of the cells than to another. */
    private static int room(float size, Sheet sheet) {
        return sheet.lineHeight(size) + sheet.px(1);
    }

    double longest(Sheet sheet) {
        return texts.stream().mapToDouble(text -> sheet.measure.width(text, size)).max().orElse(0);
    }

    /** From the panel's frame to the names; tick marks are needed where not all cells are named. */
    int distance(Sheet sheet) {
        return sheet.line + sheet.px(Sheet.GAP) + (all ? 0 : sheet.px(Sheet.TICK));
    }
}
