package headscope.model;

import headscope.tensor.DType;
import headscope.tensor.StoredTensor;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The memory of a process that measures texts on the CPU.
 *
 * @param weights     bytes of all weights in fp32
 * @param kept        bytes of all weights if matrices that are stored in a 16-bit type stay in it; one entry per type that occurs
 * @param bytesPerRow of a pass, whose rows are the tokens of all its texts: activations, and statistics of one layer
 * @param bytesKept   per token of a text that the model continues: keys, values and statistics of all layers
 */
public record MemoryNeed(long weights, SortedMap<DType, Long> kept, long bytesPerRow, long bytesKept) {
    /**
     * The Java virtual machine with its heap, and the libraries for products and pictures: the resident memory of
     * {@code spectra} minus the others, which {@code benchmarks/memory} measures.
     */
    private static final long PROCESS = 330L << 20;

    public static MemoryNeed of(Checkpoint checkpoint) {
        ModelConfig config = checkpoint.config();
        List<StoredTensor> tensors = checkpoint.tensors().names().stream().map(checkpoint.tensors()::get).toList();
        long weights = tensors.stream().mapToLong(StoredTensor::count).sum() * Float.BYTES;
        SortedMap<DType, Long> kept = tensors.stream()
                .filter(tensor -> tensor.shape().length > 1 && (tensor.dtype() == DType.BF16 || tensor.dtype() == DType.F16))
                .collect(Collectors.groupingBy(StoredTensor::dtype, TreeMap::new, Collectors.collectingAndThen(
                        Collectors.summingLong(StoredTensor::count), halved -> weights - 2 * halved)));
        long keysAndValues = 2L * config.keyWidth() * Float.BYTES;
        long statistics = (long) config.heads() * (7 * Float.BYTES + Double.BYTES); // see AttentionStatistics
        long activations = Float.BYTES * (3L * config.hidden() + 2L * config.joinedWidth() + config.queryWidth()
                + config.feedForward().expandedWidth() + config.feedForward().width());
        return new MemoryNeed(
                weights, kept, activations + statistics, config.layers() * (keysAndValues + statistics));
    }

    /**
     * Maximum number of resident bytes.
     *
     * @param tokens    of the longest text
     * @param batch     tokens that pass through the model together
     * @param continued whether the model continues texts by more than one token
     */
    public long resident(int tokens, int batch, boolean continued) {
        return PROCESS + weights + Math.max(tokens, batch) * bytesPerRow + (continued ? tokens * bytesKept : 0);
    }
}
