package headscope.figure;

import java.util.List;

/** What can be drawn in a panel. Rows and columns are cells of the panel's axes. */
public sealed interface Mark {
    /** A cell of a panel; row 0 is the top one, column 0 the left one. */
    record Cell(int row, int column) {}

    /**
     * A colour per cell, or a small map in each: then there are as many times more rows and columns.
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

    /** Thin light lines between all cells. */
    record Separators() implements Mark {}

    /**
     * A line through points, with a dot on each if so wished; the figure's key shows it beside its label.
     *
     * @param x   ascending
     * @param y   one per x
     * @param rgb 0xRRGGBB, sRGB
     */
    record Line(String label, double[] x, double[] y, int rgb, boolean dotted) implements Mark {
        public Line {
            if (x.length < 1 || x.length != y.length) {
                throw new IllegalArgumentException("%s: %d values for %d places".formatted(label, y.length, x.length));
            }
            for (int i = 1; i < x.length; i++) {
                if (x[i] <= x[i - 1]) {
                    throw new IllegalArgumentException("%s: %s follows %s".formatted(label, x[i], x[i - 1]));
                }
            }
            x = x.clone();
            y = y.clone();
        }

        /** A copy. */
        @Override
        public double[] x() {
            return x.clone();
        }

        /** A copy. */
        @Override
        public double[] y() {
            return y.clone();
        }
    }
}
