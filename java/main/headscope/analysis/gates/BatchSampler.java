package headscope.analysis.gates;

import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** Batches without repetition: all items in a shuffled order, shuffled anew where fewer than a batch are left. */
final class BatchSampler {
    private final RandomGenerator random;
    private final int[] order;
    private final int batch;
    private int next;

    /** @param batch at most items */
    BatchSampler(RandomGenerator random, int items, int batch) {
        this.random = random;
        this.order = IntStream.range(0, items).toArray();
        this.batch = batch;
        this.next = items;
    }

    /** Items from 0 on, all different. */
    int[] next() {
        if (next + batch > order.length) {
            shuffle();
            next = 0;
        }
        next += batch;
        return Arrays.copyOfRange(order, next - batch, next);
    }

    private void shuffle() {
        for (int i = order.length - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            int item = order[i];
            order[i] = order[other];
            order[other] = item;
        }
    }
}
