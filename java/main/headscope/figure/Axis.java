package headscope.figure;

import java.util.List;

/** One side of a panel. */
public sealed interface Axis {
    /** Name of the quantity; may be empty. */
    String label();

    /**
     * Divided into cells of equal length: cell i spans [i, i + 1). Cells count to the right on a horizontal axis and
     * downwards on a vertical one.
     */
    sealed interface Cells extends Axis {
        /** Number of cells, at least one. */
        int count();
    }

    /**
     * Numbered cells.
     *
     * @param first the number of the first cell, 0 or 1
     */
    record Numbered(String label, int count, int first) implements Cells {
        public Numbered {
            if (count < 1) {
                throw new IllegalArgumentException("%s: an axis of %d cells".formatted(label, count));
            }
        }

        /** The labelled cells: all, or the multiples of a round number; at most {@code limit}, at least one. */
        public List<Tick> ticks(int limit) {
            return Tick.ofCells(count, first, limit);
        }
    }

    /**
     * Consecutive cells that share a bracket.
     *
     * @param start first cell of the group
     * @param end   first cell after the group
     */
    record Group(String label, int start, int end) {
        public Group {
            label = Visible.text(label);
        }
    }

    /**
     * Named cells.
     *
     * @param names  one per cell
     * @param groups in the order of the cells, without overlap; may be empty
     */
    record Named(String label, List<String> names, List<Group> groups) implements Cells {
        public Named {
            names = Visible.texts(names);
            groups = List.copyOf(groups);
            if (names.isEmpty() || !groups.isEmpty() && groups.getLast().end() > names.size()) {
                throw new IllegalArgumentException("%s: %d names, %s".formatted(label, names.size(), groups));
            }
        }

        @Override
        public int count() {
            return names.size();
        }
    }

    /** Numbers that increase to the right on a horizontal axis and upwards on a vertical one. */
    sealed interface Continuous extends Axis {
        Range range();

        /** The relative position of a number: 0 at the lower end, 1 at the upper end. */
        double fraction(double number);

        /** At most {@code limit} round numbers within the range. */
        List<Tick> ticks(int limit);
    }

    /**
     * A linear axis.
     *
     * @param whole whether ticks are whole numbers, of which the range contains at least one
     */
    record Numbers(String label, Range range, boolean whole) implements Continuous {
        public Numbers(String label, Range range) {
            this(label, range, false);
        }

        @Override
        public double fraction(double number) {
            return range.fraction(number);
        }

        @Override
        public List<Tick> ticks(int limit) {
            // as many ticks as there are whole numbers have a step of at least 1
            int numbers = (int) Math.min(Integer.MAX_VALUE, Math.floor(range.max()) - Math.ceil(range.min()) + 1);
            return Tick.ofNumbers(range, whole ? Math.min(limit, numbers) : limit);
        }
    }

    /**
     * A logarithmic axis.
     *
     * @param range of positive numbers, with at least one power of ten
     */
    record Logarithmic(String label, Range range) implements Continuous {
        public Logarithmic {
            if (range.min() <= 0 || Tick.ofPowers(range, 1).isEmpty()) {
                throw new IllegalArgumentException("%s: a logarithmic axis from %s to %s".formatted(label, range.min(), range.max()));
            }
        }

        @Override
        public double fraction(double number) {
            return Math.log(number / range.min()) / Math.log(range.max() / range.min());
        }

        /** Powers of ten. */
        @Override
        public List<Tick> ticks(int limit) {
            return Tick.ofPowers(range, limit);
        }
    }

    /** Named cells whose names are never shortened. */
    record Categories(String label, List<String> names) implements Cells {
        public Categories {
            names = Visible.texts(names);
            if (names.isEmpty()) {
                throw new IllegalArgumentException(label + ": no categories");
            }
        }

        @Override
        public int count() {
            return names.size();
        }
    }
}
