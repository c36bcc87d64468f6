package headscope.figure;

import headscope.result.HeadMap;
import java.util.List;

/** Something drawn in a panel. Rows and columns are cells of the panel's axes. */
public sealed interface Mark {
    /** The mark with rows as columns. */
    Mark transposed();

    /** A cell of a panel; row 0 is the top one, column 0 the left one. */
    record Cell(int row, int column) {}

    /**
     * One colour per cell of the panel, or a small map in each cell; rows and columns are then multiples of the
     * panel's.
     *
     * @param values [rows, columns], row-major; finite, or NaN for a missing value
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

        /** Layers as rows, heads as columns. */
        static Heatmap of(HeadMap map) {
            return new Heatmap(map.layers(), map.heads(), map.values());
        }

        @Override
        public Heatmap transposed() {
            float[] turned = new float[values.length];
            for (int row = 0; row < rows; row++) {
                for (int column = 0; column < columns; column++) {
                    turned[column * rows + row] = values[row * columns + column];
                }
            }
            return new Heatmap(columns, rows, turned);
        }

        /** Row-major [rows, columns]; a copy. */
        @Override
        public float[] values() {
            return values.clone();
        }

        /** The largest value; 0 if none is above 0. */
        float largest() {
            float largest = 0;
            for (float value : values) {
                largest = value > largest ? value : largest; // a comparison with NaN is false
            }
            return largest;
        }
    }

    /** A dot in the middle of each listed cell, visible on any colour. */
    record CellMarkers(List<Cell> cells) implements Mark {
        public CellMarkers {
            cells = List.copyOf(cells);
        }

        @Override
        public CellMarkers transposed() {
            return new CellMarkers(cells.stream().map(cell -> new Cell(cell.column(), cell.row())).toList());
        }
    }

    /** Thin light lines between all cells. */
    record Separators() implements Mark {
        @Override
        public Separators transposed() {
            return this;
        }
    }

    /**
     * Dots with labels, which are placed beside them.
     *
     * @param labels one per point, those with the best places first
     */
    record Points(List<String> labels, double[] x, double[] y, int rgb) implements Mark {
        public Points {
            labels = Visible.texts(labels);
            if (labels.size() != x.length || x.length != y.length) {
                throw new IllegalArgumentException(
                        "%d labels and %d of y for %d of x".formatted(labels.size(), y.length, x.length));
            }
            x = x.clone();
            y = y.clone();
        }

        @Override
        public Points transposed() {
            throw new UnsupportedOperationException("points have no cells");
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

    /**
     * Level bars, one per cell of the vertical axis, from the left end of the horizontal axis.
     *
     * @param ends numbers on the horizontal axis
     */
    record Bars(double[] ends, int rgb) implements Mark {
        public Bars {
            ends = ends.clone();
        }

        @Override
        public Bars transposed() {
            throw new UnsupportedOperationException("bars are level");
        }

        /** A copy. */
        @Override
        public double[] ends() {
            return ends.clone();
        }
    }

    /**
     * A line through points. The figure's key shows it next to its label.
     *
     * @param x      strictly increasing
     * @param y      one value per x
     * @param rgb    0xRRGGBB, sRGB
     * @param dotted whether each point has a dot
     */
    record Line(String label, double[] x, double[] y, int rgb, boolean dotted) implements Mark {
        public Line {
            if (x.length < 1 || x.length != y.length) {
                throw new IllegalArgumentException("%s: %d of y for %d of x".formatted(label, y.length, x.length));
            }
            for (int i = 1; i < x.length; i++) {
                if (x[i] <= x[i - 1]) {
                    throw new IllegalArgumentException(
                            "%s: x must increase, but %s follows %s".formatted(label, x[i], x[i - 1]));
                }
            }
            label = Visible.text(label);
            x = x.clone();
            y = y.clone();
        }

        @Override
        public Line transposed() {
            throw new UnsupportedOperationException(label + ": a line has no cells");
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
