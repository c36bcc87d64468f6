package headscope.model;

import headscope.backend.Backend;
import headscope.tensor.StoredTensor;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** Tensors that are uploaded together: in pieces, by several threads, in the order of the files. */
final class WeightPieces {
    /** Elements of a piece at most, unless a row has more. */
    private static final long ELEMENTS = 1 << 21;
    /** More threads do not read faster: memory and disks are the limit. */
    private static final int MOST_THREADS = 8;

    private final List<WeightPiece> pieces = new ArrayList<>();

    /** @param tensor receives all elements */
    void add(StoredTensor stored, StoredOrder order, Tensor tensor) {
        AtomicLong rest = new AtomicLong(tensor.count());
        Tensor elements = tensor.as(tensor.count());
        for (long first = 0; first < tensor.count(); first += ELEMENTS) {
            long count = Math.min(ELEMENTS, tensor.count() - first);
            pieces.add(new WeightPiece(stored, order, elements.rows(first, count), first, rest));
        }
    }

    /** If several pieces fail, the failure of the first one in the files is thrown. */
    void upload(Backend backend) {
        pieces.sort(Comparator.comparing((WeightPiece piece) -> piece.stored().file())
                .thenComparing(piece -> piece.stored().bytes().address()).thenComparing(WeightPiece::first));
        AtomicInteger next = new AtomicInteger();
        ConcurrentSkipListMap<Integer, Throwable> failures = new ConcurrentSkipListMap<>();
        Runnable work = () -> {
            // A piece before a failed one is still read: it may fail too.
            for (int i = next.getAndIncrement(); i < pieces.size() && failures.headMap(i).isEmpty();
                    i = next.getAndIncrement()) {
                try {
                    pieces.get(i).upload(backend);
                } catch (RuntimeException | Error failure) {
                    failures.put(i, failure);
                }
            }
        };
        int threads = Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors());
        List<Thread> others = Stream.generate(() -> Thread.ofPlatform().daemon().name("headscope-weights").start(work))
                .limit(threads - 1L).toList();
        work.run();
        others.forEach(WeightPieces::await);
        Map.Entry<Integer, Throwable> first = failures.firstEntry();
        if (first != null && first.getValue() instanceof Error error) {
            throw error;
        }
        if (first != null) {
            throw (RuntimeException) first.getValue();
        }
    }

    /** Waits even if interrupted, because the thread uses memory that the caller frees; the interrupt status stays set. */
    private static void await(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException again) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
