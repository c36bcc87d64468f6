package headscope.analysis.watch;

import static headscope.analysis.InputException.require;

import headscope.backend.AtlasSpec;
import headscope.backend.Backend;
import headscope.metric.Metric;
import headscope.model.Sampler;
import headscope.result.frame.FrameSource;
import headscope.result.frame.FrameSource.MeasuredMetric;
import java.util.List;
import java.util.Locale;

/**
 * What is watched, and how the text goes on.
 *
 * @param metrics      measured after every token; one value per head each
 * @param cells        P: the atlas has P x P cells per head
 * @param maxNewTokens limit of new tokens after a prompt
 * @param seed         for sampling
 * @param rate         new tokens per second at most; infinite for as many as the model gives
 */
public record WatchRequest(
        List<Metric> metrics, int cells, Sampler sampler, int maxNewTokens, long seed, double rate) {
    /** Metrics of the text so far that cost O(T) for a new token. */
    public static final List<Metric> METRICS = List.of(
            new Metric.AttentionScore(), new Metric.Entropy(), new Metric.NormalisedEntropy(), new Metric.SinkShare(),
            new Metric.MeanDistance(), new Metric.PreviousToken(), new Metric.SelfAttention(), new Metric.Confidence());

    public static final int CELLS = 64;
    public static final int MAX_NEW_TOKENS = 128;
    private static final int MAX_CELLS = 256;
    private static final double MIN_RATE = 0.01;

    public WatchRequest {
        metrics = metrics.stream().distinct().toList();
        require(!metrics.isEmpty(), "--metrics is empty: name at least one metric");
        for (Metric metric : metrics) {
            require(METRICS.contains(metric), "--metrics: %s has no value that grows with each token; choose among %s"
                    .formatted(metric.key(), String.join(", ", METRICS.stream().map(Metric::key).toList())));
        }
        require(cells >= 1 && cells <= MAX_CELLS, "--cells must be 1 to %d, not %d".formatted(MAX_CELLS, cells));
        require(rate >= MIN_RATE, "--rate must be at least %s, not %s".formatted(MIN_RATE, rate));
        require(maxNewTokens >= 1, "--max-new-tokens must be at least 1, not " + maxNewTokens);
    }

    /** As many tokens per second as the model gives. */
    public WatchRequest(List<Metric> metrics, int cells, Sampler sampler, int maxNewTokens, long seed) {
        this(metrics, cells, sampler, maxNewTokens, seed, Double.POSITIVE_INFINITY);
    }

    AtlasSpec atlas() {
        return new AtlasSpec(cells, AtlasSpec.Pooling.MAXIMUM);
    }

    /** What all frames of such a watch have in common. */
    FrameSource source(
            String name, Backend backend, int layers, int heads, boolean causal, int newTokens, int maxTokens) {
        return new FrameSource(
                name, backend.describe(), layers, heads, causal,
                metrics.stream().map(metric -> new MeasuredMetric(metric.key(), metric.unit())).toList(), cells,
                atlas().pooling().name().toLowerCase(Locale.ROOT), newTokens, maxTokens, false);
    }
}
