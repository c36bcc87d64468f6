package headscope.backend;

import headscope.backend.cpu.CpuBackend;
import headscope.backend.cuda.Cuda;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;

/**
 * The arithmetic of a run on one device. Destination first; tensors are fp32 and row-major unless said; a
 * destination may be one of its inputs only where said. Arguments are checked by {@link CheckedBackend}, once.
 */
public interface Backend extends AutoCloseable {
    /** As {@link #open(DeviceChoice, Consumer)}, where nobody listens. */
    static Backend open(String device) {
        return open(DeviceChoice.of(device), line -> {});
    }

    /**
     * @param notice is told, a line each, what works less well than it could on this machine
     * @throws IllegalArgumentException if there is no such device here: one line that says what lacks
     */
    static Backend open(DeviceChoice choice, Consumer<String> notice) {
        return new CheckedBackend(unchecked(choice, notice), choice.check());
    }

    private static Backend unchecked(DeviceChoice choice, Consumer<String> notice) {
        Optional<Integer> named = choice.gpu();
        if (named.isPresent()) {
            return Cuda.open(named.get(), choice.precision(), notice);
        }
        if (choice.device().equals("auto")) {
            Optional<String> lacking = Cuda.lacking(0);
            if (lacking.isEmpty() || choice.precision() != Precision.F32) {
                return Cuda.open(0, choice.precision(), notice);
            }
            notice.accept("computing on the CPU: "
                    + (Cuda.seemsPresent() ? lacking.get() : "there is no NVIDIA GPU here"));
        }
        return new CpuBackend(choice.threads().orElse(Runtime.getRuntime().availableProcessors()));
    }

    /** What there is to compute with besides the CPU. */
    static GpuReport gpus() {
        return Cuda.report();
    }

    /** Such as "cpu, 2 workers, 512-bit SIMD, OpenBLAS SkylakeX". */
    String describe();

    /** Whether the operations run on a GPU, or on what emulates one. */
    boolean isGpu();

    /** A new zeroed buffer, seen whole. Whoever asked closes it: {@code tensor.buffer().close()}. */
    Tensor allocate(DType dtype, long... shape);

    /** Bytes in buffers that are not yet closed. */
    long liveBytes();

    /** What the weights of products, keys and values are kept in: F32, or on a GPU F16 or BF16. */
    DType operands();

    /** Host memory of the same length in bytes -> destination. */
    void upload(Tensor destination, MemorySegment source);

    /** A tensor -> host memory of the same length in bytes. */
    void download(MemorySegment destination, Tensor source);

    /** An fp32 tensor -> the host. */
    default float[] download(Tensor source) {
        float[] values = new float[Math.toIntExact(source.count())];
        download(MemorySegment.ofArray(values), source);
        return values;
    }

    /** destination [tokens, width] = rows ids[i] of table [words, width]. */
    void embed(Tensor destination, Tensor table, int[] ids);

    /**
     * The likeliest word of each row of logits [rows, words], of equals the first. No logit is NaN, here and in draw.
     *
     * @return [rows]
     */
    int[] argmax(Tensor logits);

    /**
     * Draws a word of each row of logits [rows, words]. Words are laid end to end, likeliest first, of equals the first,
     * each as long as exp((logit - largest) / temperature), until they reach topP of all. (Nucleus sampling: Holtzman et
     * al. 2020, arXiv:1904.09751.)
     *
     * @param temperature above 0
     * @param topP        above 0, at most 1
     * @param marks       [rows], 0 &lt;= mark &lt; 1: where on that line a row's word is, as a share of its length
     * @return [rows]
     */
    int[] draw(Tensor logits, double temperature, double topP, double[] marks);

    /** destination = source, rounded to the destination's type; same shape, each F32, F16 or BF16. */
    void convert(Tensor destination, Tensor source);

    /** destination [tokens, out] = x [tokens, in] weight' + bias; weight [out, in], bias [out]. */
    void linear(Tensor destination, Tensor x, Tensor weight, Optional<Tensor> bias);

    /** destination = (x - mean) / sqrt(variance + epsilon) * weight + bias over the last axis. May be in place. */
    void layerNorm(Tensor destination, Tensor x, Tensor weight, Tensor bias, float epsilon);

    /** destination = x / sqrt(mean square + epsilon) * weight over groups of weight's width. May be in place. */
    void rmsNorm(Tensor destination, Tensor x, Tensor weight, float epsilon);

    /**
     * Rotary position embedding in place: in each head of x [tokens, heads * headDim], elements j and j + r are
     * turned by the angle of token i, j &lt; r; elements from 2 r on stay. (RoFormer, Su et al. 2021, in the
     * half-split order of GPT-NeoX.)
     *
     * @param cosine [tokens, r]
     * @param sine   [tokens, r]
     */
    void rotate(Tensor x, int headDim, Tensor cosine, Tensor sine);

    /** x = f(x). */
    void activate(Tensor x, Activation f);

    /** gate = f(gate) * up; up may be overwritten. {@link Activation#CLAMPED_SILU} clamps it as well. */
    void gate(Tensor gate, Tensor up, Activation f);

    /** x += y. */
    void add(Tensor x, Tensor y);

    /** Every row of x [rows, width] += row [width]. */
    void addRow(Tensor x, Tensor row);

    /**
     * A mixture's routing, in place: of each row of logits [tokens, experts] the chosen largest become their softmax,
     * the rest 0.
     */
    void route(Tensor logits, int chosen);

    /** Row i of x [tokens, width] += shares[i, column] times row i of y; shares [tokens, experts]. */
    void addShare(Tensor x, Tensor y, Tensor shares, int column);

    /** x *= factor. */
    void scale(Tensor x, float factor);

    /** x *= y, element by element. */
    void multiply(Tensor x, Tensor y);

    /** x [tokens, heads * headDim]: head h of every row *= factors[h]; factors [heads]. */
    void scaleHeads(Tensor x, Tensor factors);

    /** x = cap * tanh(x / cap). */
    void softCap(Tensor x, float cap);

    /**
     * Attention of the last queries of a text over all its keys, and what is observed of it.
     *
     * @param out        [queries, heads * headDim]
     * @param q          [queries, heads * headDim]
     * @param k          [keys, kvHeads * headDim], keys &gt;= queries; equal where not causal
     * @param v          as k
     * @param statistics has seen the keys - queries rows before; gets the new ones; or nothing is observed
     */
    void attention(
            Tensor out, Tensor q, Tensor k, Tensor v, AttentionSpec spec, Optional<AttentionStatistics> statistics);

    /**
     * Attention over whole texts, for {@link Gradients#attention}.
     *
     * @param logSumExp [heads, queries], see {@link AttentionStatistics#logSumExp}
     */
    void attention(Tensor out, Tensor logSumExp, Tensor q, Tensor k, Tensor v, AttentionSpec spec);

    /** The statistics of {@link #attention} from q and k alone. */
    void attentionStatistics(Tensor q, Tensor k, AttentionSpec spec, AttentionStatistics statistics);

    /** destination [queries, keys] = the probabilities of one head, for those who must see them. */
    void attentionMap(Tensor destination, Tensor q, Tensor k, AttentionSpec spec, int head);

    /**
     * The probabilities of every head of a whole text, pooled to cells, for pictures: token i lies in cell
     * i * cells / tokens, as in {@link AttentionSaliency#pooledMaximum}. No map is stored: what is kept for the length of
     * the call grows with tokens * cells a head.
     *
     * @param pooledMaximum [heads, cells, cells]: the largest probability of a cell; 1 &lt;= cells &lt;= tokens
     * @param pooledMean    [heads, cells, cells]: the mean of all of a cell, those that are not seen being 0
     * @param q             of a whole text, as k
     */
    void attentionCells(Tensor pooledMaximum, Tensor pooledMean, Tensor q, Tensor k, AttentionSpec spec);

    /**
     * Computes metrics of every head of one layer from its statistics, and downloads all of them at once.
     *
     * @param metrics at least one; none of them {@link Metric.Symmetric}, which {@link #symmetricSpectrum} serves
     * @param spec    the attention that the statistics describe
     * @return [heads][{@link Metric#valuesPerHead}] of each metric; a {@link Metric.Spectrum} in descending order
     */
    LayerResult measure(List<Metric> metrics, AttentionStatistics statistics, AttentionSpec spec);

    /**
     * Eigenvalues, ascending, of the symmetrised normalised Laplacian of every head: [heads][tokens]. See
     * {@link Metric.Symmetric}.
     *
     * @param q of a whole text, as k
     */
    double[][] symmetricSpectrum(Tensor q, Tensor k, AttentionSpec spec);

    /**
     * Runs the work and tells how many seconds each kernel took that it launched, in the order of their first launch;
     * a device that cannot tell them apart has one entry, "cpu".
     */
    SequencedMap<String, Double> time(Runnable work);

    /** The most bytes that were in use at once, those of single calls included, since this was last asked. */
    long peakBytes();

    /** What these operations pass back. */
    Gradients gradients();

    @Override
    void close();
}
