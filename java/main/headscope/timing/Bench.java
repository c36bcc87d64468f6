package headscope.timing;

import headscope.backend.AttentionSpec;
import headscope.backend.Backend;
import headscope.backend.DeviceException;
import headscope.backend.Packing;
import headscope.backend.TensorScope;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Transformer;
import headscope.selftest.AttentionShape;
import headscope.selftest.SelfTest;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/** Times attention, its statistics and its gradients on random operands with the shapes of published models. */
public final class Bench implements AutoCloseable {
    /** Number of tokens in the comparison with the CPU that precedes every measurement. */
    private static final int CHECKED_TOKENS = 257;
    private static final int MATRICES = 1024;
    private static final int SPECTRA_HEAD_DIM = 16;
    static final String SPECTRA = "spectra";
    static final String FORWARD = "forward pass";
    static final String OBSERVED_FORWARD = "forward pass, observed";

    private final Backend device;
    private final Backend cpu;
    private final Stopwatch stopwatch;
    private final Ceilings ceilings;

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
            add(measured, show, stopwatch.time(shape.name(), tokens, attention.gradient()));
        }
        return measured;
    }

    /** Times the symmetrised spectra of {@value #MATRICES} heads, from queries and keys. See {@link #attention}. */
    public List<Measurement> spectra(int tokens, Consumer<Measurement> show) {
        requireAgreement(AttentionShape.plain(SPECTRA, 1, 1, SPECTRA_HEAD_DIM), tokens);
        List<Measurement> measured = new ArrayList<>();
        try (TensorScope tensors = new TensorScope(device)) {
            AttentionSpec spec = AttentionSpec.plain(MATRICES, MATRICES, SPECTRA_HEAD_DIM, true);
            Tensor q = RandomTensors.normal(tensors, DType.F32, 1, tokens, (long) MATRICES * SPECTRA_HEAD_DIM);
            Tensor k = RandomTensors.normal(tensors, device.operands(), 2, tokens, (long) MATRICES * SPECTRA_HEAD_DIM);
            add(measured, show, stopwatch.time(SPECTRA, tokens, Work.of(
                    "symmetric spectra", () -> device.symmetricSpectrum(q, k,
                            Packing.of(q.intSize(0), k.intSize(0)), spec).getFirst())));
        }
        return measured;
    }

    /**
     * Times the forward pass of a model on random tokens, with the logits of the last token: without statistics, then
     * with those of all heads. See {@link #attention}.
     */
    public List<Measurement> model(String name, Transformer model, int tokens, Consumer<Measurement> show) {
        requireAgreement(AttentionShape.of(name, model.attentionSpec(0)), CHECKED_TOKENS);
        int[] ids = new Random(tokens).ints(tokens, 0, model.config().vocabulary().size()).toArray();
        List<Measurement> measured = new ArrayList<>();
        try (Sequence text = model.sequenceWithoutStatistics(tokens)) {
            add(measured, show, stopwatch.time(name, tokens, forward(FORWARD, model, text, ids)));
        }
        try (Sequence text = model.sequence(tokens)) {
            add(measured, show, stopwatch.time(name, tokens, forward(OBSERVED_FORWARD, model, text, ids)));
        }
        return measured;
    }

    private static Work forward(String operation, Transformer model, Sequence text, int[] ids) {
        return Work.whole(operation, () -> {
            text.clear();
            model.logits(model.forward(text, ids, LayerHook.NONE).rows(ids.length - 1, 1));
        });
    }

    private void requireAgreement(AttentionShape shape, int tokens) {
        for (SelfTest.Outcome outcome : SelfTest.attention(device, cpu, shape, tokens)) {
            if (!outcome.agrees()) {
                throw new DeviceException("not timed: %s (%s) is wrong on %s: error %.2g, rounding bound %.2g %s"
                        .formatted(outcome.operation(), outcome.sizes(), device.describe(), outcome.error(),
                                outcome.bound(), outcome.fault()).strip());
            }
        }
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
