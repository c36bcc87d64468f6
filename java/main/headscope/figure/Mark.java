package headscope.figure;

import java.util.List;

/** What can be drawn in a panel. Rows and columns are cells of the panel's axes. */
public sealed interface Mark {
    /** A cell of a panel; row 0 is the top one, column 0 the left one. */
    record Cell(int row, int column) {}

    /**
     * A colour per cell.
     *
     * @param values [rows, columns], row-major; NaN where there is none, otherwise finite
     */
    record Heatmap(int rows, int columns, float[] values) implements Mark {
        public Heatmap {
            if (rows < 1 || columns < 1 || values.length != Math.multiplyExact(rows, columns)) {
                throw new IllegalArgumentException(
                        "%d values for %d rows x %d columns".formatted(values.length, rows, columns));
            }
            for (float value : values) {
                if (Float.isInfinite(value)) {
                    throw new IllegalArgumentException("a heat map cannot show " + value);
                }
            }
            values = values.clone();
        }

        /** Row-major [rows, columns]; a copy. */
        @Override
        public float[] values() {
            return values.clone();
        }
    }

    /** A dot in the middle of each of some cells, visible on any colour. */
    record CellMarkers(List<Cell> cells) implements Mark {
        public CellMarkers {
            cells = List.copyOf(cells);
        }
    }
}
