package headscope.timing;

import headscope.backend.Backend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** Times work on a device, with caches flushed before every run. */
final class Stopwatch implements AutoCloseable {
    /** 256 MiB, more than any second-level cache. */
    private static final long FLUSHED_FLOATS = 64L << 20;
    private static final int MIN_RUNS = 5;
    private static final int MAX_RUNS = 30;
    /** After this time no further run starts, if there have been at least {@value #MIN_RUNS}. */
    private static final long ENOUGH_NANOSECONDS = 1_000_000_000;

    private final Backend backend;
    private final Tensor flushed;

    Stopwatch(Backend backend) {
        this.backend = backend;
        this.flushed = backend.allocate(DType.F32, FLUSHED_FLOATS);
    }

    List<Measurement> time(String shape, int tokens, Work work) {
        work.time(backend); // warm-up: loads modules and maps memory
        backend.peakBytes();
        SequencedMap<String, List<Double>> seconds = new LinkedHashMap<>();
        long enough = System.nanoTime() + ENOUGH_NANOSECONDS;
        for (int run = 0; run < MAX_RUNS && (run < MIN_RUNS || System.nanoTime() < enough); run++) {
            backend.scale(flushed, 1);
            work.time(backend).forEach(
                    (kernel, time) -> seconds.computeIfAbsent(kernel, name -> new ArrayList<>()).add(time));
        }
        long peak = backend.peakBytes() - flushed.count() * Float.BYTES;
        List<Measurement> measured = new ArrayList<>();
        seconds.forEach((kernel, runs) -> {
            List<Double> sorted = runs.stream().sorted().toList();
            Cost cost = work.cost(kernel);
            measured.add(new Measurement(shape, tokens, backend.operands().name(), work.operation(), kernel,
                    sorted.size(), sorted.get(sorted.size() / 2), sorted.getFirst(), sorted.getLast(),
                    cost.operations(), cost.bytes(), peak));
        });
        return measured;
    }

    @Override
    public void close() {
        flushed.buffer().close();
    }
}
