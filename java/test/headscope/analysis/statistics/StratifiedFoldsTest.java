package headscope.analysis.statistics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

final class StratifiedFoldsTest {
    @Property
    void everyFoldHasTheSameShares(
            @ForAll @Size(max = 70) boolean[] labels,
            @ForAll @IntRange(min = 2, max = 7) int folds,
            @ForAll long seed) {
        int[] foldOf = StratifiedFolds.assign(labels, folds, seed);
        assertEven(foldOf, folds, i -> labels[i]);
        assertEven(foldOf, folds, i -> !labels[i]);
        assertEven(foldOf, folds, i -> true);
        assertArrayEquals(foldOf, StratifiedFolds.assign(labels, folds, seed));
    }

    @Test
    void seedsShuffleTheFolds() {
        boolean[] labels = new boolean[100];
        Arrays.fill(labels, 0, 50, true);
        int[] one = StratifiedFolds.assign(labels, 5, 1);
        assertFalse(Arrays.equals(one, StratifiedFolds.assign(labels, 5, 2)));
        assertTrue(IntStream.range(1, 50).anyMatch(i -> one[i] != (one[i - 1] + 1) % 5), "shuffled");
    }

    private static void assertEven(int[] foldOf, int folds, IntPredicate chosen) {
        int[] sizes = new int[folds];
        IntStream.range(0, foldOf.length).filter(chosen).forEach(i -> sizes[foldOf[i]]++);
        int largest = Arrays.stream(sizes).max().orElseThrow();
        int smallest = Arrays.stream(sizes).min().orElseThrow();
        assertTrue(largest - smallest <= 1, () -> Arrays.toString(sizes));
    }
}
