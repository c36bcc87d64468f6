package headscope.analysis.gates;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BatchSamplerTest {
    /** Batches of 3 of 10 items: three batches hold nine distinct items; then the items are shuffled again. */
    @Test
    void drawsWithoutReplacementUntilShuffled() {
        BatchSampler sampler = new BatchSampler(new Random(1), 10, 3);
        int[] counts = new int[10];
        for (int round = 0; round < 1000; round++) {
            int[] drawn = IntStream.range(0, 3).flatMap(batch -> Arrays.stream(sampler.next())).toArray();
            assertEquals(9, Arrays.stream(drawn).distinct().count());
            Arrays.stream(drawn).forEach(item -> counts[item]++);
        }
        // Binomial with mean 900 and deviation 9.5.
        Arrays.stream(counts).forEach(count -> assertEquals(900, count, 50));
    }

    @Test
    void aBatchOfAllItemsIsAPermutation() {
        int[] all = new BatchSampler(new Random(2), 5, 5).next();
        Arrays.sort(all);
        assertArrayEquals(new int[] {0, 1, 2, 3, 4}, all);
    }
}
