package headscope.backend;

import static headscope.backend.TensorArguments.check;
import static headscope.backend.TensorArguments.floats;
import static headscope.backend.TensorArguments.operand;

import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/** Checks shapes, element types, ranges and open buffers before each operation; backends do not check again. */
final class CheckedBackend implements Backend {
    private static final Set<DType> FLOATS = EnumSet.of(DType.F32, DType.F16, DType.BF16);

    private final Backend backend;
    private final Finite finite;

    CheckedBackend(Backend backend) {
        this(backend, false);
    }

    /** @param check whether every result is checked for infinities and NaN */
    CheckedBackend(Backend backend, boolean check) {
        this.backend = backend;
        this.finite = check ? Finite.on(backend) : Finite.UNCHECKED;
    }

    @Override
    public String describe() {
        return backend.describe();
    }

    @Override
    public boolean isGpu() {
        return backend.isGpu();
    }

    @Override
    public Tensor allocate(DType dtype, long... shape) {
        return backend.allocate(dtype, shape);
    }

    @Override
    public long liveBytes() {
        return backend.liveBytes();
    }

    @Override
    public Precision precision() {
        return backend.precision();
    }

    @Override
    public DType weights(DType stored) {
        return backend.weights(stored);
    }

    @Override
    public SequencedMap<String, Double> time(Runnable work) {
        return backend.time(work);
    }

    @Override
    public long peakBytes() {
        return backend.peakBytes();
    }

    @Override
    public long keepableBytes() {
        return backend.keepableBytes();
    }

    @Override
    public Optional<DecodingTexts> decoding(DecodingTexts.Size size, Optional<AttentionStatistics> statistics, int layers) {
        check(size.texts() >= 1 && size.pages() >= 1 && size.draws() >= 0, "decoding", "%s", size);
        statistics.ifPresent(all -> check(layers >= 1 && all.texts() % layers == 0 && all.texts() / layers >= size.texts(),
                "decoding", "statistics of %d texts for %d layers and %s", all.texts(), layers, size));
        return finite == Finite.UNCHECKED ? backend.decoding(size, statistics, layers) : Optional.empty();
    }

    @Override
    public Gradients gradients() {
        return new CheckedGradients(backend.gradients(), backend, finite);
    }

    @Override
    public void upload(Tensor destination, MemorySegment source) {
        check(destination.buffer().isOpen(), "upload", "%s is closed", destination);
        check(destination.bytes().byteSize() == source.byteSize(), "upload", "%d bytes into %s", source.byteSize(), destination);
        backend.upload(destination, source);
    }

    @Override
    public void upload(Tensor destination, DType type, HostElements source) {
        check(destination.buffer().isOpen(), "upload", "%s is closed", destination);
        check(FLOATS.containsAll(List.of(type, destination.dtype())), "upload", "%s into %s", type, destination);
        backend.upload(destination, type, source);
    }

    @Override
    public void download(MemorySegment destination, Tensor source) {
        check(source.buffer().isOpen(), "download", "%s is closed", source);
        check(destination.byteSize() == source.count() * source.dtype().bytes, "download",
                "%s into %d bytes", source, destination.byteSize());
        backend.download(destination, source);
    }

    @Override
    public SharedMemory share(long bytes, long most) {
        check(most >= 1 && most <= bytes, "share", "%d bytes in pieces of %d", bytes, most);
        return backend.share(bytes, most);
    }

    @Override
    public float[] download(Tensor source) {
        floats("download", source);
        return backend.download(source);
    }

    @Override
    public void convert(Tensor destination, Tensor source) {
        for (Tensor tensor : new Tensor[] {destination, source}) {
            check(FLOATS.contains(tensor.dtype()), "convert", "%s is none of %s", tensor, FLOATS);
            check(tensor.buffer().isOpen(), "convert", "%s is closed", tensor);
        }
        check(destination.hasShape(source.shape()), "convert", "%s into %s", source, destination);
        backend.convert(destination, source);
        finite.require("convert", destination);
    }

    @Override
    public void embed(Tensor destination, Tensor table, int[] ids) {
        floats("embed", destination);
        operand("embed", table, weights(table.dtype()));
        check(destination.hasShape(ids.length, table.size(1)), "embed",
                "%d ids of %s into %s", ids.length, table, destination);
        Arrays.stream(ids).forEach(id -> check(
                id >= 0 && id < table.size(0), "embed", "id %d is not in a table of %d rows", id, table.size(0)));
        backend.embed(destination, table, ids);
        finite.require("embed", destination);
    }

    @Override
    public int[] argmax(Tensor logits) {
        logits("argmax", logits);
        return backend.argmax(logits);
    }

    @Override
    public int[] draw(Tensor logits, double temperature, double topP, double[] marks) {
        logits("draw", logits);
        check(temperature > 0 && topP > 0 && topP <= 1 && marks.length == logits.size(0)
                        && Arrays.stream(marks).allMatch(mark -> mark >= 0 && mark < 1),
                "draw", "temperature %s, top-p %s, marks %s", temperature, topP, Arrays.toString(marks));
        return backend.draw(logits, temperature, topP, marks);
    }

    private static void logits(String operation, Tensor logits) {
        floats(operation, logits);
        check(logits.rank() == 2 && logits.size(1) > 0, operation, "logits are not [rows, words]: %s", logits);
    }

    @Override
    public void linear(Tensor destination, Tensor x, Tensor weight, Optional<Tensor> bias) {
        linear("linear", destination, x, weight, bias);
        backend.linear(destination, x, weight, bias);
        finite.require("linear", destination);
    }

    private void linear(String operation, Tensor destination, Tensor x, Tensor weight, Optional<Tensor> bias) {
        floats(operation, destination);
        operand(operation, weight, weights(weight.dtype()));
        operand(operation, x, weight.dtype() == operands() ? operands() : DType.F32);
        bias.ifPresent(values -> floats(operation, values));
        check(x.rank() == 2 && weight.rank() == 2 && x.size(1) == weight.size(1)
                        && destination.hasShape(x.size(0), weight.size(0))
                        && bias.map(values -> values.hasShape(weight.size(0))).orElse(true),
                operation, "%s = %s times %s' + %s", destination, x, weight, bias);
    }

    @Override
    public void linearAdd(Tensor sum, Tensor x, Tensor weight, Optional<Tensor> bias, Tensor scratch) {
        linear("linearAdd", sum, x, weight, bias);
        sameShape("linearAdd", sum, scratch);
        backend.linearAdd(sum, x, weight, bias, scratch);
        finite.require("linearAdd", sum);
    }

    @Override
    public void layerNorm(Tensor destination, Tensor x, Tensor weight, Tensor bias, float epsilon) {
        floats("layerNorm", x, weight, bias);
        operand("layerNorm", destination, operands());
        check(destination.hasShape(x.shape()) && x.rank() == 2 && weight.hasShape(x.size(1))
                && bias.hasShape(x.size(1)), "layerNorm", "%s = norm of %s by %s and %s", destination, x, weight, bias);
        backend.layerNorm(destination, x, weight, bias, epsilon);
        finite.require("layerNorm", destination);
    }

    @Override
    public void rmsNorm(Tensor destination, Tensor x, Tensor weight, float epsilon) {
        floats("rmsNorm", x, weight);
        operand("rmsNorm", destination, operands());
        check(destination.hasShape(x.shape()) && x.rank() == 2 && weight.rank() == 1
                && x.size(1) % weight.size(0) == 0, "rmsNorm", "%s = norm of %s by %s", destination, x, weight);
        backend.rmsNorm(destination, x, weight, epsilon);
        finite.require("rmsNorm", destination);
    }

    @Override
    public void splitHeads(Projections to, Tensor joined, HeadTransform transform, Packing packing) {
        String operation = "splitHeads";
        for (Tensor tensor : List.of(to.q(), to.k(), to.v())) {
            operand(operation, tensor, operands());
        }
        boolean paged = packing.pages().isPresent() || packing.decoding().isPresent();
        check(to.k().dtype() == to.q().dtype() && to.v().dtype() == to.q().dtype() && to.v().hasShape(to.k().shape())
                        && joined.size(0) == packing.queries() && (paged || to.k().size(0) == packing.queries()),
                operation, "%s into q %s, k %s and v %s for %s", joined, to.q(), to.k(), to.v(), packing);
        AttentionArguments.requireHeads(operation, to, joined, transform);
        AttentionArguments.requirePages(operation, to.k(), packing);
        backend.splitHeads(to, joined, transform, packing);
        finite.require(operation, to.q());
        if (!paged) {
            finite.require(operation, to.k(), to.v());
        }
    }

    @Override
    public void activate(Tensor destination, Tensor x, Activation f) {
        floats("activate", x);
        operand("activate", destination, operands());
        check(destination.hasShape(x.shape()), "activate", "%s = f of %s", destination, x);
        backend.activate(destination, x, f);
        finite.require("activate", destination);
    }

    @Override
    public void gate(Tensor destination, Tensor gateUp, Activation f) {
        operand("gate", destination, operands());
        gated("gate", destination, gateUp);
        backend.gate(destination, gateUp, f);
        finite.require("gate", destination);
    }

    static void gated(String operation, Tensor product, Tensor gateUp) {
        floats(operation, gateUp);
        check(product.rank() == 2 && gateUp.hasShape(product.size(0), 2 * product.size(1)), operation,
                "%s of gate and up %s", product, gateUp);
    }

    @Override
    public void add(Tensor x, Tensor y) {
        sameShape("add", x, y);
        backend.add(x, y);
        finite.require("add", x);
    }

    private static void sameShape(String operation, Tensor x, Tensor y) {
        floats(operation, x, y);
        check(x.hasShape(y.shape()), operation, "%s and %s", x, y);
    }

    @Override
    public void addRow(Tensor x, Tensor row) {
        floats("addRow", x, row);
        check(x.rank() == 2 && row.hasShape(x.size(1)), "addRow", "%s and %s", x, row);
        backend.addRow(x, row);
        finite.require("addRow", x);
    }

    @Override
    public void route(Tensor logits, int chosen) {
        floats("route", logits);
        check(logits.rank() == 2 && chosen >= 1 && chosen <= logits.size(1), "route", "%d of %s", chosen, logits);
        backend.route(logits, chosen);
        finite.require("route", logits);
    }

    @Override
    public void addShare(Tensor x, Tensor y, Tensor shares, int column) {
        sameShape("addShare", x, y);
        floats("addShare", shares);
        check(x.rank() == 2 && shares.rank() == 2 && shares.size(0) == x.size(0) && column >= 0
                && column < shares.size(1), "addShare", "%s with column %d of %s", x, column, shares);
        backend.addShare(x, y, shares, column);
        finite.require("addShare", x);
    }

    @Override
    public void scale(Tensor x, float factor) {
        floats("scale", x);
        backend.scale(x, factor);
        finite.require("scale", x);
    }

    @Override
    public void multiply(Tensor x, Tensor y) {
        sameShape("multiply", x, y);
        backend.multiply(x, y);
        finite.require("multiply", x);
    }

    @Override
    public void scaleHeads(Tensor x, Tensor factors, RowRanges ranges) {
        headFactors("scaleHeads", x, factors, ranges);
        backend.scaleHeads(x, factors, ranges);
        finite.require("scaleHeads", x);
    }

    static void headFactors(String operation, Tensor x, Tensor factors, RowRanges ranges) {
        floats(operation, x, factors);
        check(x.rank() == 2 && factors.rank() == 2 && factors.size(1) > 0 && x.size(1) % factors.size(1) == 0
                        && factors.size(0) == ranges.count() && ranges.end(ranges.count() - 1) <= x.size(0),
                operation, "%s by %s, %s", x, factors, ranges);
    }

    @Override
    public void softCap(Tensor x, float cap) {
        floats("softCap", x);
        check(cap > 0, "softCap", "cap %s", cap);
        backend.softCap(x, cap);
        finite.require("softCap", x);
    }

    @Override
    public void attention(
            Tensor out, Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec,
            Optional<AttentionStatistics> statistics) {
        AttentionArguments.require(out, q, k, v, packing, spec, operands());
        statistics.ifPresent(rows -> AttentionArguments.requireCapacity("attention", packing, spec, rows));
        backend.attention(out, q, k, v, packing, spec, statistics);
        finite.require("attention", out);
        statistics.ifPresent(rows -> finite("attention", rows));
    }

    @Override
    public void attention(
            Tensor out, Tensor logSumExp, Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec) {
        AttentionArguments.requirePacked("attention", q, k, packing, spec, operands());
        AttentionArguments.require(out, q, k, v, packing, spec, operands());
        floats("attention", out, logSumExp);
        check(logSumExp.count() == spec.heads() * q.size(0), "attention", "log-sum-exp %s for q %s", logSumExp, q);
        backend.attention(out, logSumExp, q, k, v, packing, spec);
        finite.require("attention", out, logSumExp);
    }

    @Override
    public void attentionStatistics(
            Tensor q, Tensor k, Packing packing, AttentionSpec spec, AttentionStatistics statistics) {
        AttentionArguments.requirePacked("attentionStatistics", q, k, packing, spec, operands());
        AttentionArguments.requireCapacity("attentionStatistics", packing, spec, statistics);
        backend.attentionStatistics(q, k, packing, spec, statistics);
        finite("attentionStatistics", statistics);
    }

    private void finite(String operation, AttentionStatistics statistics) {
        finite.require(operation, statistics.logSumExp, statistics.logDiagonal, statistics.columnSum,
                statistics.entropy, statistics.maximum, statistics.previous, statistics.distance, statistics.sums);
        for (int text = 0; text < statistics.texts(); text++) {
            AttentionStatistics one = statistics.text(text);
            if (one.hasRow()) {
                finite.require(operation, one.row);
            }
        }
        statistics.atlas().ifPresent(atlas -> finite.require(operation, atlas.cells));
    }

    @Override
    public void attentionMap(Tensor destination, Tensor q, Tensor k, AttentionSpec spec, int head) {
        AttentionArguments.requireOneText("attentionMap", q, k, spec, operands());
        floats("attentionMap", destination);
        check(head >= 0 && head < spec.heads() && destination.hasShape(q.size(0), k.size(0)),
                "attentionMap", "head %d of %s and %s into %s", head, q, k, destination);
        backend.attentionMap(destination, q, k, spec, head);
        finite.require("attentionMap", destination);
    }

    @Override
    public List<LayerResult> measure(List<Metric> metrics, AttentionStatistics statistics, AttentionSpec spec) {
        check(!metrics.isEmpty(), "measure", "no metrics");
        check(statistics.heads() == spec.heads(), "measure",
                "statistics of %d heads for %s", statistics.heads(), spec);
        for (int text = 0; text < statistics.texts(); text++) {
            check(statistics.text(text).tokens() > 0, "measure", "text %d has no tokens", text);
        }
        measurable("measure", metrics, statistics, spec);
        return backend.measure(metrics, statistics, spec);
    }

    private static void measurable(
            String operation, List<Metric> metrics, AttentionStatistics statistics, AttentionSpec spec) {
        AttentionArguments.requireOpen(operation, statistics);
        for (Metric metric : metrics) {
            check(spec.causal() || !metric.causalOnly(), operation,
                    "%s is defined for causal attention only", metric.key());
            check(!(metric instanceof Metric.Symmetric), operation,
                    "%s needs the whole attention map: use symmetricSpectrum", metric.key());
        }
    }

    @Override
    public AttentionSnapshot snapshot(
            AttentionSnapshot.Request request, AttentionStatistics statistics, AttentionSpec spec) {
        int heads = statistics.heads();
        int tokens = statistics.tokens();
        check(heads % spec.heads() == 0 && tokens > 0, "snapshot",
                "statistics of %d heads and %d tokens, for layers of %d heads", heads, tokens, spec.heads());
        measurable("snapshot", request.metrics(), statistics, spec);
        for (Metric metric : request.metrics()) {
            check(!(metric instanceof Metric.Spectrum), "snapshot", "%s has several values per head", metric.key());
        }
        request.firstRow().ifPresent(row -> {
            check(statistics.atlas().isPresent(), "snapshot", "the statistics have no atlas");
            int rows = statistics.atlas().orElseThrow().spec.rows(tokens);
            check(row >= 0 && row < rows, "snapshot", "cells from row %d of %d", row, rows);
        });
        request.head().ifPresent(head ->
                check(head >= 0 && head < heads, "snapshot", "head %d of %d", head, heads));
        return backend.snapshot(request, statistics, spec);
    }

    @Override
    public List<double[][]> symmetricSpectrum(Tensor q, Tensor k, Packing packing, AttentionSpec spec) {
        AttentionArguments.requirePacked("symmetricSpectrum", q, k, packing, spec, operands());
        check(packing.isWhole(), "symmetricSpectrum", "%s: the texts must be whole", packing);
        for (Packing.Text text : packing.texts()) {
            check(text.keys() <= Metric.Symmetric.MAX_TOKENS, "symmetricSpectrum",
                    "%d tokens; the symmetrised spectrum is computed for at most %d",
                    text.keys(), Metric.Symmetric.MAX_TOKENS);
        }
        return backend.symmetricSpectrum(q, k, packing, spec);
    }

    @Override
    public void close() {
        backend.close();
    }
}
