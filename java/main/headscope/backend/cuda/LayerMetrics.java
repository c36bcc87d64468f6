package headscope.backend.cuda;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.SplitOnOutOfMemory;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Metrics of one layer from its statistics: one launch per metric, one download for all of them. */
record LayerMetrics(Device device, Kernels kernels, AttentionStatistics statistics, AttentionSpec spec) {
    LayerResult of(List<Metric> metrics) {
        Map<Metric, double[][]> values = new LinkedHashMap<>();
        metrics.forEach(metric -> values.put(metric, new double[spec.heads()][]));
        SplitOnOutOfMemory.run(spec.heads(), (first, count) -> measure(values, first, count));
        return new LayerResult(values);
    }

    /** Heads first .. first + count - 1. Memory, fp64: [metrics][count][values per head], then the spectra's workspace. */
    private void measure(Map<Metric, double[][]> values, int first, int count) {
        int results = count * values.keySet().stream().mapToInt(this::perHead).sum();
        boolean sorts = values.keySet().stream().anyMatch(Metric.Spectrum.class::isInstance);
        long workspace = sorts ? (long) count * statistics.tokens() : 0;
        double[] downloaded = new double[results];
        try (Kernels.Scratch memory = kernels.scratch((results + workspace) * Double.BYTES)) {
            MemorySegment destination = memory.memory().asSlice(0, (long) results * Double.BYTES);
            MemorySegment scratch = memory.memory().asSlice(destination.byteSize());
            long offset = 0;
            for (Metric metric : values.keySet()) {
                launch(metric, destination.asSlice(offset), scratch, first, count);
                offset += (long) count * perHead(metric) * Double.BYTES;
            }
            device.download(MemorySegment.ofArray(downloaded), destination);
        }
        int from = 0;
        for (Map.Entry<Metric, double[][]> entry : values.entrySet()) {
            for (int head = first; head < first + count; head++) {
                int end = from + perHead(entry.getKey());
                entry.getValue()[head] = Arrays.copyOfRange(downloaded, from, end);
                from = end;
            }
        }
    }

    private int perHead(Metric metric) {
        return metric.valuesPerHead(statistics.tokens());
    }

    private void launch(Metric metric, MemorySegment destination, MemorySegment workspace, int first, int count) {
        int tokens = statistics.tokens();
        String kernel = metric.key() + "_f64";
        device.launch(metric instanceof Metric.Spectrum
                ? Launch.flat(kernel, count, 1, kernels.fitting("laplacian_spectrum_threads", tokens),
                        destination, workspace, statistics.logDiagonal.rows(first, count),
                        statistics.columnSum.rows(first, count), tokens, perHead(metric), statistics.capacity())
                : Launch.flat(kernel, count, 1, kernels.fitting("head_fold_threads", tokens),
                        destination, statistics.logDiagonal.rows(first, count),
                        statistics.columnSum.rows(first, count), statistics.entropy.rows(first, count),
                        statistics.maximum.rows(first, count), statistics.previous.rows(first, count),
                        statistics.distance.rows(first, count), tokens, spec.causal() ? 1 : 0,
                        statistics.capacity()));
    }
}
