package headscope.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;

/**
 * Copies between the device and any host memory, on a stream of their own, through pinned buffers: one is transferred while
 * the host fills or reads another.
 */
final class Staging implements AutoCloseable {
    private static final int UPLOADS = 4;
    private static final int DOWNLOADS = 2;

    /** Bytes of a buffer. */
    private static final long PIECE = 8 << 20;

    /** Maximum number of bytes that are sent: the tokens of more texts than a device has memory for. */
    private static final long SENT = 1 << 20;

    private final Stream compute;
    private final Stream copies;
    private final Consumer<Runnable> alone;
    private final Semaphore unused = new Semaphore(UPLOADS);
    private final Queue<Pinned> uploads = new ConcurrentLinkedQueue<>();
    private final List<Pinned> downloads = new ArrayList<>();
    private final Pinned sent = new Pinned(SENT);

    /**
     * @param compute copies wait for its earlier work, and its later work waits for uploads
     * @param alone   runs calls of the driver while no other thread does
     */
    Staging(Stream compute, Consumer<Runnable> alone) {
        this.compute = compute;
        this.copies = new Stream();
        this.alone = alone;
        for (int i = 0; i < UPLOADS; i++) {
            uploads.add(new Pinned(PIECE));
        }
        for (int i = 0; i < DOWNLOADS; i++) {
            downloads.add(new Pinned(PIECE));
        }
    }

    /** Returns when the host bytes have been read; the transfer may still be running. Several threads may upload at once. */
    void upload(MemorySegment device, Device.HostBytes host) {
        for (int piece = 0; piece < pieces(device); piece++) {
            MemorySegment to = part(device, piece);
            unused.acquireUninterruptibly();
            Pinned buffer = uploads.remove();
            try {
                alone.accept(buffer::await);
                host.write(piece * PIECE, buffer.segment(to.byteSize()));
                alone.accept(() -> {
                    copies.follow(compute);
                    buffer.send(to, copies);
                    compute.follow(copies);
                });
            } finally {
                uploads.add(buffer);
                unused.release();
            }
        }
    }

    /** Returns when the transfer is complete. */
    void download(MemorySegment host, MemorySegment device) {
        alone.accept(() -> {
            copies.follow(compute);
            for (int piece = 0; piece <= pieces(host); piece++) {
                if (piece < pieces(host)) {
                    downloads.get(piece % DOWNLOADS).receive(part(device, piece), copies);
                }
                if (piece > 0) {
                    Pinned buffer = downloads.get((piece - 1) % DOWNLOADS);
                    buffer.await();
                    MemorySegment to = part(host, piece - 1);
                    to.copyFrom(buffer.segment(to.byteSize()));
                }
            }
        });
    }

    /** On the compute stream itself: its later work waits for the copy, but not for the host. */
    void send(MemorySegment device) {
        alone.accept(() -> sent.receive(device, compute));
    }

    /** Returns when what was sent last has arrived. */
    void receive(MemorySegment host) {
        alone.accept(() -> {
            sent.await();
            host.copyFrom(sent.segment(host.byteSize()));
        });
    }

    private static int pieces(MemorySegment all) {
        return Math.toIntExact((all.byteSize() + PIECE - 1) / PIECE);
    }

    private static MemorySegment part(MemorySegment all, int piece) {
        return all.asSlice(piece * PIECE, Math.min(PIECE, all.byteSize() - piece * PIECE));
    }

    @Override
    public void close() {
        uploads.forEach(Pinned::close);
        downloads.forEach(Pinned::close);
        sent.close();
        copies.close();
    }
}
