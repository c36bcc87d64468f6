package headscope.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import headscope.backend.Backend;
import headscope.backend.DeviceMemoryException;
import headscope.backend.Precision;
import headscope.backend.Recording;
import headscope.backend.SharedMemory;
import headscope.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Runs the kernel sources in the emulator; device memory is host memory. */
@SuppressWarnings("restricted")
public final class EmulatedDevice implements Device {
    private static final Path LIBRARY = Path.of("target/cuda/libheadscope_emulator.so");
    private static final MemoryLayout TEXT = MemoryLayout.sequenceLayout(1 << 16, JAVA_BYTE);

    private final Arena arena = Arena.ofShared();
    private final Map<Long, Arena> live = new ConcurrentHashMap<>();
    private final SequencedMap<String, Double> seconds = new LinkedHashMap<>();
    private final long memory;
    private final boolean hopper;
    private final AtomicLong used = new AtomicLong();
    private long uploads;
    private long downloads;
    private long downloadedBytes;
    private long launches;
    private long replays;
    private byte[] sent = {};
    private final List<Long> replaysReceived = new ArrayList<>();
    private Optional<RecordedMemory> recordedMemory = Optional.empty();
    private List<Runnable> recorded = new ArrayList<>();
    private final MethodHandle launch;
    private final MethodHandle constant;
    private final MethodHandle tensorMap;
    private final MethodHandle lastError;

    EmulatedDevice(long memory) {
        this(memory, false);
    }

    /** @param hopper whether it has warp groups */
    EmulatedDevice(long memory, boolean hopper) {
        this.memory = memory;
        this.hopper = hopper;
        if (!Files.exists(LIBRARY)) {
            throw new IllegalStateException(LIBRARY + " is missing: run ./headscope verify, which builds it");
        }
        SymbolLookup symbols = SymbolLookup.libraryLookup(LIBRARY.toAbsolutePath(), arena);
        Linker linker = Linker.nativeLinker();
        this.launch = linker.downcallHandle(symbols.findOrThrow("headscope_launch"), FunctionDescriptor.of(
                JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS));
        this.constant = linker.downcallHandle(
                symbols.findOrThrow("headscope_constant"), FunctionDescriptor.of(JAVA_INT, ADDRESS));
        this.tensorMap = linker.downcallHandle(symbols.findOrThrow("headscope_tensor_map"), FunctionDescriptor.of(
                ADDRESS.withTargetLayout(TEXT), ADDRESS, JAVA_INT, JAVA_INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_INT));
        this.lastError = linker.downcallHandle(
                symbols.findOrThrow("headscope_last_error"), FunctionDescriptor.of(ADDRESS.withTargetLayout(TEXT)));
    }

    /** Opens the CUDA backend without a GPU. */
    public static Backend open(DType operands) {
        return open(operands, Long.MAX_VALUE);
    }

    /** @param memory bytes of device memory */
    public static Backend open(DType operands, long memory) {
        return new CudaBackend(new EmulatedDevice(memory), Precision.valueOf(operands.name()));
    }

    /** Opens the CUDA backend of a GPU with warp groups. */
    public static Backend openHopper(DType operands) {
        return new CudaBackend(new EmulatedDevice(Long.MAX_VALUE, true), Precision.valueOf(operands.name()));
    }

    @Override
    public String describe() {
        return "emulated CUDA";
    }

    @Override
    public MemorySegment allocate(long bytes) {
        return filled(bytes, (byte) 0);
    }

    /** All bits are 1, which is NaN: this exposes memory that is read before it is written. */
    @Override
    public MemorySegment reserve(long bytes) {
        return filled(bytes, (byte) -1);
    }

    private MemorySegment filled(long bytes, byte value) {
        if (recordedMemory.isEmpty()) {
            return fromHost(bytes).fill(value);
        }
        MemorySegment memory = recordedMemory.get().take(bytes, this::fromHost);
        recorded.add(() -> memory.fill(value));
        return memory;
    }

    private MemorySegment fromHost(long bytes) {
        if (used.addAndGet(bytes) > memory) {
            throw new DeviceMemoryException(describe(), bytes, memory - used.addAndGet(-bytes), memory);
        }
        Arena own = Arena.ofShared();
        MemorySegment allocated = own.allocate(Math.max(1, bytes), 256).asSlice(0, bytes);
        live.put(allocated.address(), own);
        return allocated;
    }

    @Override
    public void free(MemorySegment freed) {
        if (recordedMemory.isPresent()) {
            recordedMemory.get().giveBack(freed);
            return;
        }
        used.addAndGet(-freed.byteSize());
        live.remove(freed.address()).close();
    }

    @Override
    public long freeBytes() {
        return memory - used.get();
    }

    @Override
    public void upload(MemorySegment device, HostBytes host) {
        requireNotRecording();
        host.write(0, device);
        uploads++;
    }

    @Override
    public void download(MemorySegment host, MemorySegment device) {
        requireNotRecording();
        host.copyFrom(device);
        downloads++;
        downloadedBytes += device.byteSize();
    }

    /** Copies at once: what later launches change would not have been sent either. */
    @Override
    public void send(MemorySegment device) {
        requireNotRecording();
        sent = device.toArray(JAVA_BYTE);
    }

    @Override
    public void receive(MemorySegment host) {
        requireNotRecording();
        host.copyFrom(MemorySegment.ofArray(sent));
        downloads++;
        downloadedBytes += sent.length;
        replaysReceived.add(replays);
    }

    @Override
    public SharedMemory share(long bytes, long most) {
        throw new UnsupportedOperationException("only the emulated driver shares memory between processes");
    }

    private void requireNotRecording() {
        if (recordedMemory.isPresent()) {
            throw new IllegalStateException("copies to and from the host are not recorded");
        }
    }

    @Override
    public Recording record(Runnable work) {
        RecordedMemory own = new RecordedMemory();
        List<Runnable> nodes = new ArrayList<>();
        recordedMemory = Optional.of(own);
        recorded = nodes;
        try {
            work.run();
        } finally {
            recordedMemory = Optional.empty();
        }
        return new Recording() {
            @Override
            public void launch() {
                replays++;
                nodes.forEach(Runnable::run);
            }

            @Override
            public void close() {
                own.all().forEach(EmulatedDevice.this::free);
            }
        };
    }

    /** Recordings launched so far. */
    long replays() {
        return replays;
    }

    /** {@link #replays} whenever bytes that had been sent were received. */
    List<Long> replaysReceived() {
        return replaysReceived;
    }

    /** Kernels launched so far, without those of recordings. */
    long launches() {
        return launches;
    }

    /** Transfers from the host to the device so far. */
    long uploads() {
        return uploads;
    }

    /** Bytes of {@link #downloads}. */
    long downloadedBytes() {
        return downloadedBytes;
    }

    /** Transfers from the device to the host so far. */
    long downloads() {
        return downloads;
    }

    /** That of compute capability 9.0, or the minimum of all supported GPUs: 8.6, 8.9 and 12.0. */
    @Override
    public int sharedMemory() {
        return (hopper ? 227 : 99) << 10;
    }

    @Override
    public int constant(String name) {
        try (Arena call = Arena.ofConfined()) {
            int value = (int) constant.invokeExact(call.allocateFrom(name));
            if (value < 0) {
                throw new IllegalArgumentException("no kernel exports " + name);
            }
            return value;
        } catch (RuntimeException failure) {
            throw failure;
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    @Override
    public boolean hasWarpGroups() {
        return hopper;
    }

    private void encode(MemorySegment to, TensorMap map, SegmentAllocator arrays) {
        try {
            MemorySegment mistake = (MemorySegment) tensorMap.invokeExact(
                    to, map.tensor().dtype().bytes, map.axes(), map.tensor().bytes(), map.extents(arrays),
                    map.strides(arrays), map.box(arrays), map.swizzled() ? 128 : 0);
            if (!mistake.getString(0).isEmpty()) {
                throw new IllegalArgumentException(map + ": " + mistake.getString(0));
            }
        } catch (RuntimeException failure) {
            throw failure;
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    @Override
    public synchronized void launch(Launch what) {
        if (recordedMemory.isPresent()) {
            MemorySegment copied = parameters(what, arena);
            recorded.add(() -> run(what, copied));
            return;
        }
        launches++;
        try (Arena call = Arena.ofConfined()) {
            run(what, parameters(what, call));
        }
    }

    private MemorySegment parameters(Launch what, Arena on) {
        return what.parameters(on, hopper ? Optional.of(this::encode) : Optional.empty());
    }

    private void run(Launch what, MemorySegment parameters) {
        long start = System.nanoTime();
        try (Arena call = Arena.ofConfined()) {
            int status = (int) launch.invokeExact(
                    call.allocateFrom(what.kernel()), Math.toIntExact(what.gridX()), Math.toIntExact(what.gridY()),
                    Math.toIntExact(what.gridZ()), what.threads(), 1, 1, what.shared(), parameters);
            if (status != 0) {
                throw new IllegalStateException(what + ": " + ((MemorySegment) lastError.invokeExact()).getString(0));
            }
            seconds.merge(what.kernel(), (System.nanoTime() - start) / 1e9, Double::sum);
        } catch (RuntimeException failure) {
            throw failure;
        } catch (Throwable failure) {
            throw new AssertionError(failure);
        }
    }

    @Override
    public void multiply(Product product) {
        ProductKernels.multiply(this, product);
    }

    @Override
    public SequencedMap<String, Double> time(Runnable work) {
        seconds.clear();
        work.run();
        return new LinkedHashMap<>(seconds);
    }

    @Override
    public void close() {
        if (!live.isEmpty()) {
            throw new IllegalStateException(live.size() + " allocations of device memory were not freed");
        }
        arena.close();
    }
}
