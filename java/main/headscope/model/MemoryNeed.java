package headscope.model;

import headscope.tensor.StoredTensor;

/**
 * The memory of a process that measures texts on the CPU, one at a time.
 *
 * @param weights       bytes of all weights in fp32
 * @param bytesPerToken of the longest text: keys and values, statistics, activations
 */
public record MemoryNeed(long weights, long bytesPerToken) {
    /**
     * The Java virtual machine with its heap, and the libraries for products and pictures: the resident memory of
     * {@code spectra} minus the two others, which {@code benchmarks/memory} measures.
     */
    private static final long PROCESS = 330L << 20;

    public static MemoryNeed of(Checkpoint checkpoint) {
        ModelConfig config = checkpoint.config();
        long parameters = checkpoint.tensors().names().stream()
                .map(checkpoint.tensors()::get)
                .mapToLong(StoredTensor::count)
                .sum();
        long keysAndValues = 2L * config.keyWidth() * Float.BYTES;
        long statistics = (long) config.heads() * (7 * Float.BYTES + Double.BYTES); // see AttentionStatistics
        long activations = Float.BYTES * (3L * config.hidden() + 2L * config.queryWidth() + 2L * config.keyWidth()
                + 2L * config.feedForward().width());
        return new MemoryNeed(parameters * Float.BYTES, config.layers() * (keysAndValues + statistics) + activations);
    }

    /** Maximum number of resident bytes, for texts of this many tokens. */
    public long resident(int tokens) {
        return PROCESS + weights + tokens * bytesPerToken;
    }
}
