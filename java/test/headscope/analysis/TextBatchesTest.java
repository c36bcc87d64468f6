package headscope.analysis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Seed;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextBatchesTest {
    private static List<int[]> batches(int tokens, int... lengths) {
        return new TextBatches(tokens).of(IntStream.range(0, lengths.length).toArray(), text -> lengths[text]);
    }

    @Test
    void textsOfSimilarLengthAreTogether() {
        List<int[]> batches = batches(10, 9, 2, 3, 8, 2, 30, 3);
        assertEquals(List.of("[1, 4, 2, 6]", "[3]", "[0]", "[5]"), batches.stream().map(Arrays::toString).toList());
        assertEquals(List.of(), batches(10));
        assertEquals(List.of("[0]", "[1]"), batches(1, 1, 1).stream().map(Arrays::toString).toList());
    }

    /** Every text once, and no batch of several texts above the limit. */
    @ParameterizedTest
    @ValueSource(ints = {1, 64, 1000, Integer.MAX_VALUE})
    void everyTextIsInOneBatch(int tokens) {
        Random random = Seed.random("batches", tokens);
        int[] lengths = random.ints(500, 1, 200).toArray();
        List<int[]> batches = batches(tokens, lengths);
        assertArrayEquals(IntStream.range(0, lengths.length).toArray(),
                batches.stream().flatMapToInt(Arrays::stream).sorted().toArray());
        for (int[] batch : batches) {
            assertTrue(batch.length == 1 || Arrays.stream(batch).mapToLong(text -> lengths[text]).sum() <= tokens);
        }
    }

    /** Only neighbours in the file are sorted together, so that a run proceeds in about its order. */
    @Test
    void sortsWithinAWindow() {
        int[] lengths = IntStream.range(0, 400).map(text -> 1 + text % 5).toArray();
        int last = -1;
        for (int[] batch : batches(10, lengths)) {
            int first = Arrays.stream(batch).min().orElseThrow();
            assertTrue(first > last - 80, "batches of 10 tokens reach back at most 16 * 10 tokens");
            last = Math.max(last, Arrays.stream(batch).max().orElseThrow());
        }
    }
}
