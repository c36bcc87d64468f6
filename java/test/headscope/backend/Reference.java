package headscope.backend;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.Buffer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.commons.numbers.gamma.Erfc;

/**
 * Every operation from its definition, in plain loops in double, rounded once to fp32 when a result is stored.
 * Attention stores whole tokens x tokens maps, from which metrics are computed.
 */
final class Reference implements Backend {
    /** Maps of each text of the statistics. */
    private final Map<AttentionStatistics, Map<Integer, List<Whole>>> whole = new IdentityHashMap<>();

    /** All rows of a head's map so far, and their logarithms. */
    private record Whole(double[][] logMap, double[][] map) {}

    @Override
    public String describe() {
        return "plain loops in double";
    }

    @Override
    public boolean isGpu() {
        return false;
    }

    @Override
    public Tensor allocate(DType dtype, long... shape) {
        long bytes = Tensor.count(shape) * dtype.bytes;
        return Tensor.of(new Buffer(Arena.ofAuto().allocate(bytes, 8), () -> {}), dtype, shape);
    }

    @Override
    public long liveBytes() {
        return 0;
    }

    @Override
    public Precision precision() {
        return Precision.F32;
    }

    @Override
    public void convert(Tensor destination, Tensor source) {
        ReferenceConversion.convert(destination, source);
    }

    @Override
    public SequencedMap<String, Double> time(Runnable work) {
        throw new UnsupportedOperationException("time");
    }

    @Override
    public long peakBytes() {
        throw new UnsupportedOperationException("peakBytes");
    }

    @Override
    public Gradients gradients() {
        return new ReferenceGradients();
    }

    @Override
    public void upload(Tensor destination, MemorySegment source) {
        destination.bytes().copyFrom(source);
    }

    @Override
    public void upload(Tensor destination, DType type, HostElements source) {
        Tensor stored = allocate(type, destination.shape());
        source.write(0, stored.bytes());
        convert(destination, stored);
    }

    @Override
    public void download(MemorySegment destination, Tensor source) {
        destination.copyFrom(source.bytes());
    }

    static double get(Tensor x, long index) {
        return x.bytes().getAtIndex(JAVA_FLOAT, index);
    }

    static void set(Tensor x, long index, double value) {
        x.bytes().setAtIndex(JAVA_FLOAT, index, (float) value);
    }

    /** An fp64 tensor of any backend. */
    static double[] downloadDoubles(Backend backend, Tensor x) {
        double[] values = new double[Math.toIntExact(x.count())];
        backend.download(MemorySegment.ofArray(values), x);
        return values;
    }

    static double[] doubles(Tensor x) {
        float[] floats = x.bytes().toArray(JAVA_FLOAT);
        double[] doubles = new double[floats.length];
        for (int i = 0; i < doubles.length; i++) {
            doubles[i] = floats[i];
        }
        return doubles;
    }

    @Override
    public void embed(Tensor destination, Tensor table, int[] ids) {
        int width = table.intSize(1);
        for (int i = 0; i < ids.length; i++) {
            for (int j = 0; j < width; j++) {
                set(destination, (long) i * width + j, get(table, (long) ids[i] * width + j));
            }
        }
    }

    @Override
    public int[] argmax(Tensor logits) {
        return IntStream.range(0, logits.intSize(0)).map(row -> ReferenceSampling.sorted(logits, row)[0]).toArray();
    }

    @Override
    public int[] draw(Tensor logits, double temperature, double topP, double[] marks) {
        return IntStream.range(0, marks.length)
                .map(row -> ReferenceSampling.draw(logits, row, temperature, topP, marks[row]))
                .toArray();
    }

    @Override
    public void linear(Tensor destination, Tensor x, Tensor weight, Optional<Tensor> bias) {
        int in = x.intSize(1);
        int out = weight.intSize(0);
        double[] inputs = doubles(x);
        double[] weights = doubles(weight);
        for (int token = 0; token < x.size(0); token++) {
            for (int j = 0; j < out; j++) {
                double sum = bias.isPresent() ? get(bias.get(), j) : 0;
                for (int i = 0; i < in; i++) {
                    sum += inputs[token * in + i] * weights[j * in + i];
                }
                set(destination, (long) token * out + j, sum);
            }
        }
    }

    @Override
    public void layerNorm(Tensor destination, Tensor x, Tensor weight, Tensor bias, float epsilon) {
        int width = weight.intSize(0);
        double[] inputs = doubles(x);
        for (int row = 0; row < inputs.length / width; row++) {
            double mean = 0;
            for (int j = 0; j < width; j++) {
                mean += inputs[row * width + j] / width;
            }
            double variance = 0;
            for (int j = 0; j < width; j++) {
                variance += Math.pow(inputs[row * width + j] - mean, 2) / width;
            }
            for (int j = 0; j < width; j++) {
                double normal = (inputs[row * width + j] - mean) / Math.sqrt(variance + epsilon);
                set(destination, (long) row * width + j, normal * get(weight, j) + get(bias, j));
            }
        }
    }

    @Override
    public void rmsNorm(Tensor destination, Tensor x, Tensor weight, float epsilon) {
        int width = weight.intSize(0);
        double[] inputs = doubles(x);
        for (int row = 0; row < inputs.length / width; row++) {
            double square = 0;
            for (int j = 0; j < width; j++) {
                square += Math.pow(inputs[row * width + j], 2) / width;
            }
            for (int j = 0; j < width; j++) {
                double normal = inputs[row * width + j] / Math.sqrt(square + epsilon);
                set(destination, (long) row * width + j, normal * get(weight, j));
            }
        }
    }

    @Override
    public void splitHeads(Projections to, Tensor joined, HeadTransform transform, Packing packing) {
        new ReferenceHeads(transform, joined).split(to, packing);
    }

    private static void each(Tensor x, DoubleUnaryOperator f) {
        for (long i = 0; i < x.count(); i++) {
            set(x, i, f.applyAsDouble(get(x, i)));
        }
    }

    static double activation(double x, Activation f) {
        return switch (f) {
            case GELU -> x * Erfc.value(-x / Math.sqrt(2)) / 2;
            case GELU_TANH -> x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))) / 2;
            case SILU -> x / (1 + Math.exp(-x));
            case QUICK_GELU -> x / (1 + Math.exp(-1.702 * x));
            case CLAMPED_SILU -> Math.min(x, 7) / (1 + Math.exp(-1.702 * Math.min(x, 7)));
            case RELU -> Math.max(x, 0);
        };
    }

    @Override
    public void activate(Tensor destination, Tensor x, Activation f) {
        for (long i = 0; i < x.count(); i++) {
            set(destination, i, activation(get(x, i), f));
        }
    }

    @Override
    public void gate(Tensor destination, Tensor gateUp, Activation f) {
        long width = destination.size(1);
        for (long i = 0; i < destination.count(); i++) {
            long at = i / width * 2 * width + i % width;
            double up = get(gateUp, at + width);
            set(destination, i, activation(get(gateUp, at), f) * (f == Activation.CLAMPED_SILU ? Math.clamp(up, -7, 7) + 1 : up));
        }
    }

    @Override
    public void add(Tensor x, Tensor y) {
        for (long i = 0; i < x.count(); i++) {
            set(x, i, get(x, i) + get(y, i));
        }
    }

    @Override
    public void addRow(Tensor x, Tensor row) {
        for (long i = 0; i < x.count(); i++) {
            set(x, i, get(x, i) + get(row, i % row.count()));
        }
    }

    @Override
    public void route(Tensor logits, int chosen) {
        ReferenceSampling.route(logits, chosen);
    }

    @Override
    public void addShare(Tensor x, Tensor y, Tensor shares, int column) {
        for (long i = 0; i < x.count(); i++) {
            double share = get(shares, i / x.size(1) * shares.size(1) + column);
            set(x, i, get(x, i) + share * get(y, i));
        }
    }

    @Override
    public void scale(Tensor x, float factor) {
        each(x, value -> value * factor);
    }

    @Override
    public void multiply(Tensor x, Tensor y) {
        for (long i = 0; i < x.count(); i++) {
            set(x, i, get(x, i) * get(y, i));
        }
    }

    @Override
    public void scaleHeads(Tensor x, Tensor factors, RowRanges ranges) {
        long heads = factors.size(1);
        long headDim = x.size(1) / heads;
        for (int range = 0; range < ranges.count(); range++) {
            for (long i = ranges.first(range) * x.size(1); i < ranges.end(range) * x.size(1); i++) {
                set(x, i, get(x, i) * get(factors, range * heads + i / headDim % heads));
            }
        }
    }

    @Override
    public void softCap(Tensor x, float cap) {
        each(x, value -> cap * Math.tanh(value / cap));
    }

    @Override
    public void attention(
            Tensor out, Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec,
            Optional<AttentionStatistics> statistics) {
        if (packing.pages().isPresent()) {
            attention(out, q, ReferencePages.gathered(this, k, packing), ReferencePages.gathered(this, v, packing),
                    packing.withoutPages(), spec, statistics);
            return;
        }
        for (int i = 0; i < packing.count(); i++) {
            TextRows text = new TextRows(packing, i);
            ReferenceAttention.output(text.queries(out), text.queries(q), text.keys(k), text.keys(v), spec);
        }
        statistics.ifPresent(rows -> attentionStatistics(q, k, packing, spec, rows));
    }

    @Override
    public void attention(
            Tensor out, Tensor logSumExp, Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec) {
        attention(out, q, k, v, packing, spec, Optional.empty());
        for (int i = 0; i < packing.count(); i++) {
            TextRows text = new TextRows(packing, i);
            ReferenceAttention.logSumExp(text.logSumExp(logSumExp, spec.heads()), text.queries(q), text.keys(k), spec);
        }
    }

    @Override
    public void attentionStatistics(
            Tensor q, Tensor k, Packing packing, AttentionSpec spec, AttentionStatistics statistics) {
        for (int i = 0; i < packing.count(); i++) {
            TextRows text = new TextRows(packing, i);
            List<Whole> heads = attentionStatistics(
                    text.queries(q), text.keys(k), spec, text.statistics(statistics),
                    heads(statistics, packing.text(i).slot()));
            whole.computeIfAbsent(statistics, key -> new HashMap<>()).put(packing.text(i).slot(), heads);
        }
        statistics.grow(packing);
    }

    /** Of one text of the statistics. */
    private List<Whole> heads(AttentionStatistics statistics, int text) {
        return whole.getOrDefault(statistics, Map.of()).get(text);
    }

    private static List<Whole> attentionStatistics(
            Tensor q, Tensor k, AttentionSpec spec, AttentionStatistics statistics, List<Whole> earlier) {
        int queries = q.intSize(0);
        int keys = k.intSize(0);
        int before = keys - queries;
        List<Whole> heads = new ArrayList<>();
        for (int head = 0; head < spec.heads(); head++) {
            double[][] scores = ReferenceAttention.scores(q, k, spec, head);
            double[] lse = ReferenceAttention.logSumExp(scores, spec, head);
            double[][] logMap = new double[keys][];
            for (int i = 0; i < before; i++) {
                logMap[i] = Arrays.copyOf(earlier.get(head).logMap()[i], keys);
                Arrays.fill(logMap[i], before, keys, Double.NEGATIVE_INFINITY);
            }
            System.arraycopy(ReferenceAttention.logMap(scores, lse), 0, logMap, before, queries);
            double[][] map = ReferenceMetrics.exp(logMap);
            for (int i = 0; i < queries; i++) {
                int row = before + i;
                long at = (long) head * statistics.capacity() + row;
                set(statistics.logSumExp, at, lse[i]);
                set(statistics.logDiagonal, at, logMap[row][row]);
                set(statistics.entropy, at, ReferenceMetrics.entropy(map[row]));
                set(statistics.maximum, at, ReferenceMetrics.maximum(map[row]));
                set(statistics.previous, at, row == 0 ? 0 : map[row][row - 1]);
                set(statistics.distance, at, ReferenceMetrics.distance(map[row], row));
            }
            for (int j = 0; j < keys; j++) {
                statistics.columnSum.bytes().setAtIndex(JAVA_DOUBLE,
                        (long) head * statistics.capacity() + j, ReferenceMetrics.columnSum(map, j));
            }
            heads.add(new Whole(logMap, map));
        }
        return heads;
    }

    @Override
    public void attentionMap(Tensor destination, Tensor q, Tensor k, AttentionSpec spec, int head) {
        double[][] map = ReferenceAttention.map(q, k, spec, head);
        for (int i = 0; i < map.length; i++) {
            for (int j = 0; j < map[i].length; j++) {
                set(destination, (long) i * map[i].length + j, map[i][j]);
            }
        }
    }

    @Override
    public List<LayerResult> measure(List<Metric> metrics, AttentionStatistics statistics, AttentionSpec spec) {
        return IntStream.range(0, statistics.texts())
                .mapToObj(text -> new LayerResult(metrics.stream().distinct().collect(Collectors.toMap(
                        metric -> metric,
                        metric -> heads(statistics, text).stream()
                                .map(head -> ReferenceMetrics.of(metric, head.logMap(), head.map(), spec))
                                .toArray(double[][]::new)))))
                .toList();
    }

    @Override
    public AttentionSnapshot snapshot(
            AttentionSnapshot.Request request, AttentionStatistics statistics, AttentionSpec spec) {
        List<double[][]> maps = heads(statistics, 0).stream().map(Whole::map).toList();
        int tokens = statistics.tokens();
        return new AttentionSnapshot(
                tokens, measure(request.metrics(), statistics, spec).getFirst(),
                request.firstRow().map(row -> statistics.atlas().orElseThrow().spec.bin(tokens)).orElse(0),
                request.firstRow().orElse(0),
                request.firstRow()
                        .map(row -> ReferenceAtlas.cells(maps, statistics.atlas().orElseThrow().spec, row))
                        .orElse(new float[0]),
                request.head().map(head -> ReferenceAtlas.vectors(
                        maps.get(head), heads(statistics, 0).get(head).logMap(), statistics.hasRow())));
    }

    @Override
    public List<double[][]> symmetricSpectrum(Tensor q, Tensor k, Packing packing, AttentionSpec spec) {
        List<double[][]> values = new ArrayList<>();
        for (int i = 0; i < packing.count(); i++) {
            TextRows text = new TextRows(packing, i);
            double[][] ofHeads = new double[spec.heads()][];
            for (int head = 0; head < spec.heads(); head++) {
                ofHeads[head] = ReferenceMetrics.symmetricSpectrum(
                        ReferenceAttention.map(text.queries(q), text.keys(k), spec, head));
            }
            values.add(ofHeads);
        }
        return values;
    }

    @Override
    public void close() {
        whole.clear();
    }
}
