package headscope.figure;

import java.util.List;

/** One side of a panel. */
public sealed interface Axis {
    /** What is counted or measured; may be empty. */
    String label();

    /**
     * Divided into cells of equal length: cell i spans [i, i + 1). Cells count to the right on a horizontal axis and
     * downwards on a vertical one.
     */
    sealed interface Cells extends Axis {
        /** How many cells, at least one. */
        int count();
    }

    /**
     * Cells that have numbers.
     *
     * @param first the number of the first cell, 0 or 1
     */
    record Numbered(String label, int count, int first) implements Cells {
        public Numbered {
            if (count < 1) {
                throw new IllegalArgumentException("%s: an axis of %d cells".formatted(label, count));
            }
        }

        /** Cells to be labelled: all, or those with multiples of a round number, at most {@code most}, at least one. */
        public List<Tick> ticks(int most) {
            return Tick.ofCells(count, first, most);
        }
    }

    /**
     * Cells that a bracket holds together.
     *
     * @param start the first of them
     * @param end   the first after them
     */
    record Group(String label, int start, int end) {}

    /**
     * Cells that have names.
     *
     * @param names  one per cell
     * @param groups from the first cell to the last, apart from each other; may be empty
     */
    record Named(String label, List<String> names, List<Group> groups) implements Cells {
        public Named {
            names = List.copyOf(names);
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

    /** A stretch of the real line, growing to the right on a horizontal axis and upwards on a vertical one. */
    record Numbers(String label, Range range) implements Axis {
        /** Round numbers within the range, at most {@code most} of them. */
        public List<Tick> ticks(int most) {
            return Tick.ofNumbers(range, most);
        }
    }
}
