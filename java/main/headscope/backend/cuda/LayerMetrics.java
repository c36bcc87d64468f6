package headscope.backend.cuda;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.SplitOnOutOfMemory;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Metrics of one layer from its statistics: one launch per metric, one download for all of them and all texts. */
record LayerMetrics(Device device, Kernels kernels, AttentionStatistics statistics, AttentionSpec spec) {
    List<LayerResult> of(List<Metric> metrics) {
        List<Map<Metric, double[][]>> values = new ArrayList<>();
        for (int text = 0; text < statistics.texts(); text++) {
            Map<Metric, double[][]> ofText = new LinkedHashMap<>();
            metrics.forEach(metric -> ofText.put(metric, new double[spec.heads()][]));
            values.add(ofText);
        }
        SplitOnOutOfMemory.run(statistics.texts(), (first, count) -> {
            if (count > 1) {
                measure(values.subList(first, first + count), texts(first, count), 0, spec.heads());
            } else {
                LayerMetrics alone = new LayerMetrics(device, kernels, statistics.text(first), spec);
                SplitOnOutOfMemory.run(spec.heads(), (head, heads) -> alone.measure(
                        values.subList(first, first + 1), PackedTexts.all(alone.statistics), head, heads));
            }
        });
        return values.stream().map(LayerResult::new).toList();
    }

    private PackedTexts texts(int first, int count) {
        return PackedTexts.all(statistics).only(text -> text.slot() >= first && text.slot() < first + count);
    }

    /**
     * Heads first .. first + count - 1. Memory, fp64: [metrics][texts][count][values per head], then the spectra's
     * workspace [texts][count][longest].
     */
    private void measure(List<Map<Metric, double[][]>> values, PackedTexts texts, int first, int count) {
        List<Metric> metrics = List.copyOf(values.getFirst().keySet());
        int longest = texts.longest();
        int rows = texts.entries().size() * count;
        int results = rows * metrics.stream().mapToInt(metric -> metric.valuesPerHead(longest)).sum();
        boolean sorts = metrics.stream().anyMatch(Metric.Spectrum.class::isInstance);
        long workspace = sorts ? (long) rows * longest : 0;
        double[] downloaded = new double[results];
        try (Kernels.Scratch memory = kernels.scratch((results + workspace) * Double.BYTES)) {
            MemorySegment destination = memory.memory().asSlice(0, (long) results * Double.BYTES);
            MemorySegment scratch = memory.memory().asSlice(destination.byteSize());
            long offset = 0;
            for (Metric metric : metrics) {
                launch(metric, destination.asSlice(offset), scratch, texts, first, count);
                offset += (long) rows * metric.valuesPerHead(longest) * Double.BYTES;
            }
            device.download(MemorySegment.ofArray(downloaded), destination);
        }
        int from = 0;
        for (Metric metric : metrics) {
            for (int text = 0; text < texts.entries().size(); text++) {
                int kept = metric.valuesPerHead(texts.entries().get(text).keys());
                for (int head = first; head < first + count; head++) {
                    values.get(text).get(metric)[head] = Arrays.copyOfRange(downloaded, from, from + kept);
                    from += metric.valuesPerHead(longest);
                }
            }
        }
    }

    private void launch(
            Metric metric, MemorySegment destination, MemorySegment workspace, PackedTexts texts, int first, int count) {
        int longest = texts.longest();
        int gridY = texts.entries().size();
        Object table = kernels.table(texts);
        String kernel = metric.key() + "_f64";
        device.launch(metric instanceof Metric.Spectrum
                ? Launch.flat(kernel, count, gridY, kernels.fitting("laplacian_spectrum_threads", longest),
                        destination, workspace, heads(texts, statistics.logDiagonal, first, count),
                        heads(texts, statistics.columnSum, first, count), table, longest, metric.valuesPerHead(longest),
                        texts.first().capacity(), longest)
                : Launch.flat(kernel, count, gridY, kernels.fitting("head_fold_threads", longest),
                        destination, heads(texts, statistics.logDiagonal, first, count),
                        heads(texts, statistics.columnSum, first, count),
                        heads(texts, statistics.entropy, first, count), heads(texts, statistics.maximum, first, count),
                        heads(texts, statistics.previous, first, count),
                        heads(texts, statistics.distance, first, count), table, longest, spec.causal() ? 1 : 0,
                        texts.first().capacity()));
    }

    /** The vectors from a head on: of a text alone; those of several texts, with all heads, follow from the table. */
    private static Tensor heads(PackedTexts texts, Tensor vectors, int first, int count) {
        return texts.alone() ? vectors.rows(first, count) : vectors;
    }
}
