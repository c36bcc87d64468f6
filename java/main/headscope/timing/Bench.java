package headscope.timing;

import headscope.backend.AttentionSpec;
import headscope.backend.Backend;
import headscope.backend.DeviceException;
import headscope.backend.Packing;
import headscope.backend.TensorScope;
import headscope.model.Checkpoint;
import headscope.selftest.AttentionShape;
import headscope.selftest.SelfTest;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Times attention, its statistics and its gradients on random operands with the shapes of published models. */
public final class Bench implements AutoCloseable {
    /** Number of tokens in the comparison with the CPU that precedes every measurement. */
    private static final int CHECKED_TOKENS = 257;
    private static final int MATRICES = 1024;
    /** Of {@value #LARGE} tokens or more. */
    private static final int LARGE_MATRICES = 128;
    private static final int LARGE = 1024;
    /** The backward pass of longer texts takes minutes. */
    private static final int MAX_GRADIENT_TOKENS = 32_768;
    private static final int SPECTRA_HEAD_DIM = 16;
    static final String SPECTRA = "spectra";
    static final String SYMMETRIC = "symmetric spectra";

    private final Backend device;
    private final Backend cpu;
    private final Stopwatch stopwatch;
    private final Ceilings ceilings;
    /** Names and numbers of tokens of the attention that has been compared. */
    private final Set<String> agreed = new HashSet<>();

    /** @param cpu backend with which the device is compared */
    public Bench(Backend device, Backend cpu) {
        this.device = device;
        this.cpu = cpu;
        this.stopwatch = new Stopwatch(device);
        this.ceilings = Ceilings.of(device, stopwatch);
    }

    public Ceilings ceilings() {
        return ceilings;
    }

    /**
     * Times the attention of one layer, and reports each measurement as soon as it is available.
     *
     * @throws DeviceException before any measurement, if the device's results differ from the CPU's
     */
    public List<Measurement> attention(Shape shape, int tokens, Consumer<Measurement> show) {
        requireAgreement(shape.attention(), CHECKED_TOKENS);
        List<Measurement> measured = new ArrayList<>();
        try (AttentionWork attention = new AttentionWork(device, shape, tokens)) {
            for (Work work : attention.all()) {
                add(measured, show, stopwatch.time(shape.name(), tokens, work));
            }
            if (tokens <= MAX_GRADIENT_TOKENS) {
                add(measured, show, stopwatch.time(shape.name(), tokens, attention.gradient()));
            }
        }
        return measured;
    }

    /**
     * Times the symmetrised spectra of {@value #MATRICES} heads, or of {@value #LARGE_MATRICES} heads for {@value #LARGE} tokens or
     * more, from queries and keys. See {@link #attention}.
     */
    public List<Measurement> spectra(int tokens, Consumer<Measurement> show) {
        requireAgreement(AttentionShape.plain(SPECTRA, 1, 1, SPECTRA_HEAD_DIM), tokens);
        List<Measurement> measured = new ArrayList<>();
        try (TensorScope tensors = new TensorScope(device)) {
            int matrices = tokens < LARGE ? MATRICES : LARGE_MATRICES;
            AttentionSpec spec = AttentionSpec.plain(matrices, matrices, SPECTRA_HEAD_DIM, true);
            Tensor q = RandomTensors.normal(tensors, DType.F32, 1, tokens, (long) matrices * SPECTRA_HEAD_DIM);
            Tensor k = RandomTensors.normal(tensors, device.operands(), 2, tokens, (long) matrices * SPECTRA_HEAD_DIM);
            add(measured, show, stopwatch.time(SPECTRA, tokens, Work.of(
                    SYMMETRIC, () -> device.symmetricSpectrum(q, k, Packing.of(tokens, tokens), spec))));
        }
        return measured;
    }

    /**
     * Loads a model, to be timed; the caller closes it. The checkpoint can be closed afterwards.
     *
     * @throws DeviceException before any measurement, if the device's attention differs from the CPU's
     */
    public ModelBench open(String name, Checkpoint checkpoint) {
        ModelBench model = new ModelBench(name, checkpoint, device, stopwatch);
        try {
            requireAgreement(AttentionShape.of(name, model.attention()), CHECKED_TOKENS);
            return model;
        } catch (Throwable failure) {
            model.close();
            throw failure;
        }
    }

    private void requireAgreement(AttentionShape shape, int tokens) {
        String checked = shape.name() + " " + tokens;
        if (agreed.contains(checked)) {
            return;
        }
        for (SelfTest.Outcome outcome : SelfTest.attention(device, cpu, shape, tokens)) {
            if (!outcome.agrees()) {
                throw new DeviceException("not timed: %s (%s) is wrong on %s: error %.2g, rounding bound %.2g %s"
                        .formatted(outcome.operation(), outcome.sizes(), device.describe(), outcome.error(),
                                outcome.bound(), outcome.fault()).strip());
            }
        }
        agreed.add(checked);
    }

    private static void add(List<Measurement> all, Consumer<Measurement> show, List<Measurement> more) {
        all.addAll(more);
        more.forEach(show);
    }

    @Override
    public void close() {
        stopwatch.close();
    }
}
