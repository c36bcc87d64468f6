package headscope.live;

import headscope.result.frame.Frame.MetricPoint;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Metrics of all heads over the tokens of a text. When {@link #MAX_POINTS} are held, every second one is dropped and from
 * then on every second frame is recorded, so that memory stays bounded for texts of any length.
 */
public final class MetricHistory {
    static final int MAX_POINTS = 1024;

    private final int heads;
    private final List<MetricPoint> points = new ArrayList<>();
    private int every = 1;
    private int skipped;

    /** One head's curve: number of tokens, and the value after them; NaN where there is none. */
    public record Curve(double[] tokens, double[] values) {}

    MetricHistory(int heads) {
        this.heads = heads;
    }

    void add(int tokens, Map<String, float[]> metrics) {
        if (!points.isEmpty() && points.getLast().tokens() >= tokens) {
            points.removeLast();
        } else if (skipped + 1 < every && !points.isEmpty()) {
            skipped++;
            return;
        }
        skipped = 0;
        points.add(new MetricPoint(tokens, new HashMap<>(metrics)));
        if (points.size() == MAX_POINTS) {
            for (int i = points.size() - 1; i > 0; i -= 2) {
                points.remove(i);
            }
            every *= 2;
        }
    }

    /** What is known of earlier tokens, in place of what was known before. */
    void begin(List<MetricPoint> past) {
        clear();
        points.addAll(past);
    }

    List<MetricPoint> points() {
        return List.copyOf(points);
    }

    void clear() {
        points.clear();
        every = 1;
        skipped = 0;
    }

    /** @param head index layer * heads + head */
    public Curve curve(String metric, int head) {
        if (head < 0 || head >= heads) {
            throw new IllegalArgumentException("head %d of %d".formatted(head, heads));
        }
        List<MetricPoint> known = points.stream().filter(point -> point.metrics().containsKey(metric)).toList();
        return new Curve(
                known.stream().mapToDouble(MetricPoint::tokens).toArray(),
                known.stream().mapToDouble(point -> point.metrics().get(metric)[head]).toArray());
    }
}
