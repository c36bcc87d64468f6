package headscope.analysis.gates;

import headscope.analysis.statistics.RandomStreams;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/** Batches without replacement: items in random order, shuffled again when fewer than a batch remain. */
final class BatchSampler {
    private final RandomGenerator random;
    private final int[] order;
    private final int batch;
    private int next;

    /** @param batch size of a batch, at most {@code items} */
    BatchSampler(RandomGenerator random, int items, int batch) {
        this.random = random;
        this.order = IntStream.range(0, items).toArray();
        this.batch = batch;
        this.next = items;
    }

    /** The next batch: distinct items from 0. */
    int[] next() {
        if (next + batch > order.length) {
            RandomStreams.shuffle(order, random);
            next = 0;
        }
        next += batch;
        return Arrays.copyOfRange(order, next - batch, next);
    }
}
