package headscope.timing;

import headscope.backend.Backend;
import headscope.selftest.SelfTest;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** How fast a device is at attention, and at what is observed of it: random operands of published models' shapes. */
public final class Bench implements AutoCloseable {
    /** Tokens of the check that comes before anything is timed. */
    private static final int CHECKED_TOKENS = 257;

    private final Backend device;
    private final Backend cpu;
    private final Stopwatch stopwatch;
    private final Ceilings ceilings;

    /** @param cpu what the device is checked against */
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
     * Each measurement is shown as soon as it is made.
     *
     * @throws IllegalStateException where the device computes something else than the CPU: nothing is timed then
     */
    public List<Measurement> run(Shape shape, int tokens, Consumer<Measurement> show) {
        for (SelfTest.Outcome outcome : SelfTest.attention(device, cpu, shape.attention(), CHECKED_TOKENS)) {
            if (!outcome.agrees()) {
                throw new IllegalStateException("%s (%s) is wrong on %s: error %.2g, at most %.2g is rounding %s"
                        .formatted(outcome.operation(), outcome.sizes(), device.describe(), outcome.error(),
                                outcome.bound(), outcome.fault()));
            }
        }
        List<Measurement> measured = new ArrayList<>();
        try (AttentionWork attention = new AttentionWork(device, shape, tokens)) {
            for (Work work : attention.all()) {
                add(measured, show, stopwatch.time(shape.name(), tokens, work));
            }
            add(measured, show, stopwatch.time(shape.name(), tokens, attention.gradient()));
        }
        return measured;
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
