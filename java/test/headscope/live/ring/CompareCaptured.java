package headscope.live.ring;

import headscope.analysis.watch.TappedText;
import headscope.backend.Backend;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.model.Checkpoint;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Transformer;
import headscope.result.tapped.CapturedText;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * The largest difference between metrics of captured queries and keys and those of our own model with the same weights on
 * the same tokens, for clients/python/check_transformers.py. Arguments: pairs of a model folder and a captured file.
 */
final class CompareCaptured {
    private static final List<Metric> METRICS = List.of(
            new Metric.AttentionScore(), new Metric.Entropy(), new Metric.SinkShare(), new Metric.MeanDistance(),
            new Metric.PreviousToken(), new Metric.Confidence());

    private CompareCaptured() {}

    public static void main(String[] args) {
        try (Backend backend = Backend.open("cpu")) {
            for (int i = 0; i < args.length; i += 2) {
                System.out.printf(Locale.ROOT, "%.1e%n", difference(backend, Path.of(args[i]), CapturedText.read(Path.of(args[i + 1]))));
            }
        }
    }

    private static double difference(Backend backend, Path folder, CapturedText captured) {
        try (Checkpoint checkpoint = Checkpoint.open(folder); Transformer model = new Transformer(checkpoint, backend);
                Sequence sequence = model.sequence(captured.tokens());
                TappedText text = new TappedText(backend, captured.layers().size(), captured.tokens(), Optional.empty())) {
            model.forward(sequence, captured.ids(), LayerHook.NONE);
            captured.layers().forEach(layer -> text.append(layer, LayerHook.NONE));
            if (text.tokens() != captured.ids().length || captured.layers().size() != model.config().layers()) {
                throw new IllegalStateException(folder + ": the captured text is not whole");
            }
            double largest = 0;
            for (int layer = 0; layer < model.config().layers(); layer++) {
                LayerResult own = backend.measure(METRICS, sequence.statistics(layer), model.attentionSpec(layer)).getFirst();
                LayerResult tapped = backend.measure(METRICS, text.statistics(layer), text.attentionSpec(layer)).getFirst();
                for (Metric metric : METRICS) {
                    for (int head = 0; head < model.config().heads(); head++) {
                        largest = Math.max(largest, Math.abs(own.of(metric)[head][0] - tapped.of(metric)[head][0]));
                    }
                }
            }
            return largest;
        }
    }
}
