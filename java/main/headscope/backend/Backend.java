package headscope.backend;

import headscope.backend.cpu.CpuBackend;
import headscope.backend.cuda.Cuda;
import headscope.metric.LayerResult;
import headscope.metric.Metric;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The operations of a transformer on one device, and the measurements of its attention.
 *
 * <p>Conventions, unless an operation says otherwise:
 * <ul>
 *   <li>The destination is the first argument. It has its final shape before the call, and every element of it is
 *       written. An operation without a destination works in place, on its first argument, or returns
 *       values.
 *   <li>Tensors are fp32, row-major and contiguous; shapes are given in brackets, the slowest axis first. Keys and
 *       values may also have the type of {@link #operands}, and matrices of weights that of {@link #weights}.
 *   <li>Source and destination do not overlap.
 *   <li>Operations of one backend run in the order of their calls. They may run asynchronously; {@link #download}
 *       waits for those before it, and so does every operation that returns values.
 *   <li>Equal inputs give equal bits on the same device, regardless of the number of threads.
 * </ul>
 *
 * <p>Backends from {@link #open} check shapes, types, ranges and open buffers, and throw an
 * {@link IllegalArgumentException} whose message begins with the name of the operation. A device that fails throws a
 * {@link DeviceException}, and a {@link DeviceMemoryException} if it is out of memory. The caller closes every tensor
 * and every backend that it opens; see {@link TensorScope}. A backend is used by one thread at a time,
 * except where stated.
 */
public interface Backend extends AutoCloseable {
    /** Like {@link #open(DeviceChoice, Supplier, Consumer)} with {@link DeviceChoice#of} and without notices. */
    static Backend open(String device) {
        return open(DeviceChoice.of(device), () -> Precision.F32, line -> {});
    }

    /**
     * Opens a device. The caller closes it.
     *
     * @param own    the checkpoint's own precision, which a GPU uses if none is chosen
     * @param notice receives one-line notices about anything that is slower than necessary on this machine, perhaps later and on
     *               another thread
     * @throws IllegalArgumentException if the device cannot be used here; the message says in one line what is missing
     */
    static Backend open(DeviceChoice choice, Supplier<Precision> own, Consumer<String> notice) {
        return new CheckedBackend(unchecked(choice, own, notice), choice.check());
    }

    private static Backend unchecked(DeviceChoice choice, Supplier<Precision> own, Consumer<String> notice) {
        Optional<Integer> gpu = choice.gpu();
        if (gpu.isPresent()) {
            return Cuda.open(gpu.get(), choice.precision().orElseGet(own), notice);
        }
        if (choice.device().equals("auto")) {
            Set<String> reasons = new LinkedHashSet<>();
            Optional<Backend> first = Cuda.openFirst(() -> choice.precision().orElseGet(own), notice, reasons::add);
            if (first.isPresent()) {
                reasons.forEach(reason -> notice.accept("%s; using another GPU".formatted(reason)));
                return first.get();
            }
            String missing = String.join("; ", reasons);
            choice.requireF32(missing);
            notice.accept("computing on the CPU: " + (Cuda.seemsPresent() ? missing : "there is no NVIDIA GPU here"));
        }
        return new CpuBackend(
                choice.threads().orElse(Runtime.getRuntime().availableProcessors()),
                choice.precision().orElse(Precision.F32).operands);
    }

    /** Reports NVIDIA's driver, GPUs, kernels and cuBLAS on this machine. */
    static GpuReport gpus() {
        return Cuda.report();
    }

    /** Describes the device in one line, such as "cpu, 2 workers, 512-bit SIMD, OpenBLAS SkylakeX". */
    String describe();

    /** Whether operations run on a GPU or on an emulated one. */
    boolean isGpu();

    /** The precision of matrix products; F32 on the CPU. */
    Precision precision();

    /** The type in which keys and values are stored: F32, or on a GPU also F16 or BF16. */
    default DType operands() {
        return precision().operands;
    }

    /**
     * The type in which matrices of weights are kept.
     *
     * @param stored their type in the checkpoint
     */
    default DType weights(DType stored) {
        return operands();
    }

    /** Allocates a buffer of zeros and returns all of it. The caller closes it: {@code tensor.buffer().close()}. */
    Tensor allocate(DType dtype, long... shape);

    /** Bytes in buffers that are open. */
    long liveBytes();

    /** The peak of bytes in use since the last call, including temporary memory of operations; resets the peak. */
    long peakBytes();

    /** Bytes of intermediate results that may stay in memory, so that they need not be computed again. */
    default long keepableBytes() {
        return 1L << 30;
    }

    /** Copies host memory to a tensor of equal length in bytes. The host memory may be reused on return. */
    void upload(Tensor destination, MemorySegment source);

    /**
     * destination = source, rounded to the nearest value of the destination's type. Unlike all other operations, uploads
     * into different tensors may run at the same time.
     *
     * @param type of the source's elements, F32, F16 or BF16, as the destination's
     */
    void upload(Tensor destination, DType type, HostElements source);

    /** Copies a tensor to host memory of equal length in bytes. */
    void download(MemorySegment destination, Tensor source);

    /**
     * Memory of the GPU that another process writes.
     *
     * @param most bytes of the largest piece that is read
     * @throws IllegalArgumentException if the device is not a GPU
     * @throws DeviceException          if the system does not let processes share memory of the GPU
     */
    default SharedMemory share(long bytes, long most) {
        throw new IllegalArgumentException("--same-gpu needs a GPU, and this is " + describe());
    }

    /** Copies an fp32 tensor to the host, in row-major order. */
    default float[] download(Tensor source) {
        float[] values = new float[Math.toIntExact(source.count())];
        download(MemorySegment.ofArray(values), source);
        return values;
    }

    /** destination = source, rounded to the nearest value of the destination's type; both F32, F16 or BF16. */
    void convert(Tensor destination, Tensor source);

    /** destination [tokens, width]: row i = row ids[i] of table [words, width]; table may have the weights' type. */
    void embed(Tensor destination, Tensor table, int[] ids);

    /**
     * destination [rows, out] = x [rows, in] weight' + bias; weight [out, in] of the weights' type, bias [out]; x is F32, or
     * {@link #operands} if the weight has that type.
     */
    void linear(Tensor destination, Tensor x, Tensor weight, Optional<Tensor> bias);

    /**
     * sum += x weight' + bias, otherwise as {@link #linear}.
     *
     * @param sum     [rows, out]
     * @param scratch of the same shape; its contents are undefined afterwards
     */
    default void linearAdd(Tensor sum, Tensor x, Tensor weight, Optional<Tensor> bias, Tensor scratch) {
        linear(scratch, x, weight, bias);
        add(sum, scratch);
    }

    /**
     * Layer normalisation of rows: (x - mean) / sqrt(variance + epsilon) * weight + bias. (Ba, Kiros and Hinton 2016,
     * arXiv:1607.06450.)
     *
     * @param destination [rows, width], as x; may be x itself, or of {@link #operands}, rounded
     * @param weight      [width], as bias
     */
    void layerNorm(Tensor destination, Tensor x, Tensor weight, Tensor bias, float epsilon);

    /**
     * Root-mean-square normalisation of groups of elements: x / sqrt(mean(x^2) + epsilon) * weight. (Zhang and Sennrich
     * 2019, arXiv:1910.07467.)
     *
     * @param destination [rows, groups * width], as x; may be x itself, or of {@link #operands}, rounded
     * @param weight      [width]
     */
    void rmsNorm(Tensor destination, Tensor x, Tensor weight, float epsilon);

    /**
     * What attention reads, from the joined projections of queries, keys and values: q and k after norm and rotation, and v.
     *
     * @param to      all three of one type, F32 or {@link #operands}, rounded: q [queries, heads * headDim], k and v [queries,
     *                kvHeads * headDim]. If the packing has pages, k and v are pools [{@link PageTable#TOKENS} * pages,
     *                kvHeads * headDim] that receive the new keys and values of each text; other rows are unchanged.
     * @param joined  [queries, (heads + 2 kvHeads) * headDim]: in each row q, k, v
     * @param packing of the queries
     */
    void splitHeads(Projections to, Tensor joined, HeadTransform transform, Packing packing);

    /**
     * destination = f(x), element by element.
     *
     * @param destination may be x itself, or of {@link #operands}, rounded
     */
    void activate(Tensor destination, Tensor x, Activation f);

    /**
     * destination = f(gate) * up, element by element; {@link Activation#CLAMPED_SILU} also clamps up and adds 1 to it.
     *
     * @param destination [rows, width], may be of {@link #operands}, rounded
     * @param gateUp      [rows, 2 * width]: in each row gate, then up
     */
    void gate(Tensor destination, Tensor gateUp, Activation f);

    /** x += y, of equal shapes. */
    void add(Tensor x, Tensor y);

    /** Every row of x [rows, width] += row [width]. */
    void addRow(Tensor x, Tensor row);

    /** x *= factor. */
    void scale(Tensor x, float factor);

    /** x *= y, element by element, of equal shapes. */
    void multiply(Tensor x, Tensor y);

    /**
     * Head h of the rows of range r of x [rows, heads * headDim] *= factors[r, h]; other rows are unchanged.
     *
     * @param factors [ranges, heads]
     */
    void scaleHeads(Tensor x, Tensor factors, RowRanges ranges);

    /** x = cap * tanh(x / cap); cap &gt; 0. */
    void softCap(Tensor x, float cap);

    /**
     * Top-k routing of a mixture of experts, in place: in each row of logits [tokens, experts] the largest {@code
     * chosen} elements are replaced by their softmax, the others by 0. The first of equal logits win.
     *
     * @param chosen 1 to experts
     */
    void route(Tensor logits, int chosen);

    /** Row i of x [tokens, width] += shares[i, column] * row i of y [tokens, width]; shares [tokens, experts]. */
    void addShare(Tensor x, Tensor y, Tensor shares, int column);

    /**
     * The index of the largest element of each row of logits [rows, words]; the first of equal ones. Logits are not
     * NaN.
     *
     * @return [rows]
     */
    int[] argmax(Tensor logits);

    /**
     * Nucleus sampling of one word per row of logits [rows, words] (Holtzman et al. 2020, arXiv:1904.09751). Words have
     * weights exp((logit - maximum) / temperature). In descending order, the first of equal ones first, the smallest
     * number of words is kept whose weights reach topP of the total; the word is the one whose share of their
     * cumulative weights contains the mark. Logits are not NaN.
     *
     * @param temperature &gt; 0
     * @param topP        &gt; 0, at most 1
     * @param marks       [rows], uniformly distributed in [0, 1)
     * @return [rows]
     */
    int[] draw(Tensor logits, double temperature, double topP, double[] marks);

    /**
     * Attention of the last queries of each text over all of the text's keys, and its statistics.
     *
     * @param out        [queries, heads * headDim], as q; fp32, or rounded to the operands' type
     * @param k          [keys, kvHeads * headDim], as v; of the operands' type; a pool if the packing has pages
     * @param packing    the texts; whole ones if attention is not causal
     * @param statistics hold the first keys - queries rows of each text, and receive the others, as does their atlas;
     *                   empty if none are needed
     */
    void attention(
            Tensor out, Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec,
            Optional<AttentionStatistics> statistics);

    /**
     * Attention as above; instead of statistics, writes what {@link Gradients#attention} needs.
     *
     * @param logSumExp [heads * queries], written: one text after the other, each of them [heads, queries of the text];
     *                  see {@link AttentionStatistics#logSumExp}
     */
    void attention(
            Tensor out, Tensor logSumExp, Tensor q, Tensor k, Tensor v, Packing packing, AttentionSpec spec);

    /** The statistics of {@link #attention}, without values and output. */
    void attentionStatistics(
            Tensor q, Tensor k, Packing packing, AttentionSpec spec, AttentionStatistics statistics);

    /**
     * destination [queries, keys] = the attention probabilities of one head of one text; O(queries * keys) memory. The
     * queries are the last of the text that the keys cover, so a long causal map can be computed in blocks of rows.
     */
    void attentionMap(Tensor destination, Tensor q, Tensor k, AttentionSpec spec, int head);

    /**
     * Computes metrics of every head of one layer from its statistics, and downloads all of them at once.
     *
     * @param metrics at least one, none of them {@link Metric.Symmetric}: those are computed from {@link #symmetricSpectrum}
     * @param spec    the attention that the statistics describe
     * @return one result per text of the statistics
     */
    List<LayerResult> measure(List<Metric> metrics, AttentionStatistics statistics, AttentionSpec spec);

    /**
     * What is known of all heads after a pass, downloaded at once: metrics, rows of cells of the atlas, and one head's
     * vectors.
     *
     * @param statistics of the heads of one layer or of several, for one text
     * @param spec       the attention of any of these layers; they are all causal or all bidirectional
     */
    AttentionSnapshot snapshot(AttentionSnapshot.Request request, AttentionStatistics statistics, AttentionSpec spec);

    /**
     * Eigenvalues of the normalised Laplacian of every head's symmetrised attention map; see {@link Metric.Symmetric}.
     *
     * @param packing whole texts of at most {@link Metric.Symmetric#MAX_TOKENS} tokens each
     * @return for each text [heads][tokens], ascending
     * @throws DeviceException if a GPU's eigenvalues differ from a matrix in trace or Frobenius norm by more than
     *                         rounding explains
     */
    List<double[][]> symmetricSpectrum(Tensor q, Tensor k, Packing packing, AttentionSpec spec);

    /**
     * Allocates texts that are described on the device, so that a step that appends one token to each of them can be
     * recorded. Empty on the CPU, and if every result is checked. The caller closes it.
     *
     * @param statistics of all layers, if they are collected: those of the text in slot s of layer l have the index
     *                   l * slots + s
     */
    default Optional<DecodingTexts> decoding(DecodingTexts.Size size, Optional<AttentionStatistics> statistics, int layers) {
        return Optional.empty();
    }

    /** The gradients of these operations. */
    Gradients gradients();

    /**
     * Runs work and measures it.
     *
     * @return seconds per kernel, in the order of the first launches; on a CPU one entry, "cpu"
     */
    SequencedMap<String, Double> time(Runnable work);

    /** Releases the device. All tensors must have been closed. */
    @Override
    void close();
}
