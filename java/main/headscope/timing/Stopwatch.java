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
    /** Work that takes longer, in seconds, is run {@value #SLOW_RUNS} times. */
    private static final double SLOW = 0.5;
    private static final int SLOW_RUNS = 3;

    private final Backend backend;
    private final Tensor flushed;

    Stopwatch(Backend backend) {
        this.backend = backend;
        this.flushed = backend.allocate(DType.F32, FLUSHED_FLOATS);
    }

    List<Measurement> time(String shape, int tokens, Work work) {
        double first = Work.seconds(() -> work.seconds().apply(backend)); // also loads modules and maps memory
        int fewest = first > SLOW ? SLOW_RUNS : MIN_RUNS;
        backend.peakBytes();
        SequencedMap<String, List<Double>> seconds = new LinkedHashMap<>();
        long enough = System.nanoTime() + ENOUGH_NANOSECONDS;
        for (int run = 0; run < MAX_RUNS && (run < fewest || System.nanoTime() < enough); run++) {
            flush();
            work.seconds().apply(backend).forEach(
                    (kernel, time) -> seconds.computeIfAbsent(kernel, _ -> new ArrayList<>()).add(time));
        }
        long peak = backend.peakBytes() - flushed.count() * Float.BYTES;
        List<Measurement> measured = new ArrayList<>();
        seconds.forEach((kernel, runs) ->
                measured.add(measurement(shape, tokens, work.operation(), kernel, runs, work.cost(kernel), peak)));
        return measured;
    }

    /** @param seconds of each run */
    Measurement measurement(
            String shape, int tokens, String operation, String kernel, List<Double> seconds, Cost cost, long peakBytes) {
        List<Double> sorted = seconds.stream().sorted().toList();
        return new Measurement(shape, tokens, backend.operands().name(), operation, kernel, sorted.size(),
                sorted.get(sorted.size() / 2), sorted.getFirst(), sorted.getLast(), cost.operations(), cost.bytes(), peakBytes);
    }

    /** Empties the caches and waits until they are empty. */
    private void flush() {
        backend.scale(flushed, 1);
        backend.download(flushed.rows(0, 1));
    }

    @Override
    public void close() {
        flushed.buffer().close();
    }
}
