package headscope.timing;

/**
 * The time of a pass through a model, from its start until its result is on the host.
 *
 * @param newTokens of all texts
 */
public record Throughput(Measurement time, int newTokens) {
    public double tokensPerSecond() {
        return newTokens / time.median();
    }
}
