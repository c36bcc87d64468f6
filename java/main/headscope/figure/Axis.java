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

    /**
     * A continuous axis; numbers increase to the right on a horizontal axis and upwards on a vertical one.
     *
     * @param whole whether ticks are whole numbers, of which the range contains at least one
     */
    record Numbers(String label, Range range, boolean whole) implements Axis {
        public Numbers(String label, Range range) {
            this(label, range, false);
        }

        /** At most {@code limit} round numbers within the range. */
        public List<Tick> ticks(int limit) {
            // as many ticks as there are whole numbers have a step of at least 1
            int numbers = (int) Math.min(Integer.MAX_VALUE, Math.floor(range.max()) - Math.ceil(range.min()) + 1);
            return Tick.ofNumbers(range, whole ? Math.min(limit, numbers) : limit);
        }
    }
}
