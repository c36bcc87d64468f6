package headscope.timing;

import headscope.selftest.AttentionShape;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Shape of one layer's attention in a published model; if layers alternate, that of the layers without a window.
 *
 * @param layers number of layers of the model
 */
public record Shape(AttentionShape attention, int layers) {
    private static final List<Shape> KNOWN = List.of(
            new Shape(AttentionShape.plain("gpt2", 12, 12, 64), 12),
            new Shape(AttentionShape.plain("pythia-6.9b", 32, 32, 128), 32),
            new Shape(AttentionShape.plain("llama-3.2-1b", 32, 8, 64), 16),
            new Shape(AttentionShape.plain("llama-3.1-8b", 32, 8, 128), 32),
            new Shape(AttentionShape.plain("llama-3.1-70b", 64, 8, 128), 80),
            new Shape(AttentionShape.plain("qwen3-32b", 64, 8, 128), 64),
            new Shape(new AttentionShape("gemma-2-27b", 32, 16, 128, true, 0, 50, 1 / 12f, false), 46),
            new Shape(new AttentionShape("gpt-oss-120b", 64, 8, 64, true, 0, 0, 0.125f, true), 36));

    public String name() {
        return attention.name();
    }

    /** Number of visible pairs of query and key per head. */
    long pairs(int tokens) {
        return attention.causal() ? (long) tokens * (tokens + 1) / 2 : (long) tokens * tokens;
    }

    /** Parses names separated by commas. */
    public static List<Shape> parseList(String names) {
        return Arrays.stream(names.split(",")).map(Shape::parse).toList();
    }

    private static Shape parse(String name) {
        return KNOWN.stream().filter(shape -> shape.name().equals(name.strip())).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown shape \"%s\"; known are %s"
                        .formatted(name, KNOWN.stream().map(Shape::name).collect(Collectors.joining(", ")))));
    }
}
