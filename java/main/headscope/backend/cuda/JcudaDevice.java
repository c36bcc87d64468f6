package headscope.backend.cuda;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED;
import static jcuda.driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY;

import headscope.backend.Recording;
import headscope.backend.SharedMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUfunction;
import jcuda.driver.JCudaDriver;

/**
 * A GPU, through NVIDIA's driver: a compute stream, a copy stream, and memory allocated in the order of the compute stream.
 * Thread-safe.
 */
final class JcudaDevice implements Device {
    /** Name of a recording in {@link #time}. */
    private static final String GRAPH = "graph";

    /** More than any launch needs. */
    private static final int ARGUMENT_BYTES = 1 << 14;

    private final Gpu gpu;
    private final CUdevice device;
    private final CUcontext context = new CUcontext();
    private final Optional<MemoryPool> pool;
    private final Stream compute;
    private final Staging staging;
    private final Modules modules;
    /** Arguments of the current launch; the driver copies them. */
    private final MemorySegment arguments = Arena.ofAuto().allocate(ARGUMENT_BYTES, TensorMap.ALIGNMENT);
    private final Optional<TensorMap.Encoder> maps;
    /** Opened in the background, because loading its large libraries takes long. */
    private final CompletableFuture<Optional<Blas>> blas;
    private Optional<LaunchTimes> times = Optional.empty();
    private Optional<RecordedMemory> recording = Optional.empty();

    /**
     * Requires that {@link NvidiaDriver#unavailable} is empty.
     *
     * @param products opens cuBLAS for the compute stream, if there is one; on a thread of its own
     */
    JcudaDevice(Gpu gpu, Fatbins fatbins, Function<Stream, Optional<Blas>> products) {
        this.gpu = gpu;
        this.device = Gpu.device(gpu.ordinal());
        NvidiaDriver.require(JCudaDriver.cuDevicePrimaryCtxRetain(context, device),
                "cuda:%d cannot be opened; nvidia-smi shows which processes use it", gpu.ordinal());
        try {
            enter();
            this.pool = Gpu.attribute(device, CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED) == 1
                    ? Optional.of(new MemoryPool(gpu.ordinal()))
                    : Optional.empty();
            pool.ifPresent(MemoryPool::keep);
            this.compute = new Stream();
            this.staging = new Staging(compute, this::alone);
            this.modules = new Modules(fatbins.images(gpu));
            this.maps = fatbins.haveWarpGroups(gpu) ? Optional.of(new DriverTensorMaps()) : Optional.empty();
        } catch (Throwable failure) {
            JCudaDriver.cuDevicePrimaryCtxRelease(device); // with all that it holds
            throw failure;
        }
        this.blas = CompletableFuture.supplyAsync(
                () -> {
                    enter();
                    return products.apply(compute);
                },
                opening -> Thread.ofPlatform().daemon().name("headscope-cublas").start(opening));
    }

    /** The current context is a property of the calling thread. */
    private void enter() {
        NvidiaDriver.require(JCudaDriver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
    }

    /** Runs calls of the driver, one thread at a time. */
    private synchronized void alone(Runnable calls) {
        if (recording.isPresent()) {
            throw new IllegalStateException("copies to and from the host are not recorded");
        }
        enter();
        calls.run();
    }

    @Override
    public String describe() {
        return "cuda:%d, %s, %s".formatted(
                gpu.ordinal(), gpu, blas().orElse("products without cuBLAS"));
    }

    /** The cuBLAS in use, if any. */
    Optional<String> blas() {
        return openedBlas().map(Blas::describe);
    }

    /** Waits until cuBLAS is open; empty also if opening has failed. */
    private Optional<Blas> blasIfOpened() {
        return blas.exceptionally(failure -> Optional.empty()).join();
    }

    /** Waits until cuBLAS is open. */
    private Optional<Blas> openedBlas() {
        try {
            return blas.join();
        } catch (CompletionException failure) {
            if (failure.getCause() instanceof Error error) {
                throw error;
            }
            throw failure.getCause() instanceof RuntimeException cause ? cause : failure;
        }
    }

    @Override
    public synchronized MemorySegment allocate(long bytes) {
        MemorySegment memory = reserve(bytes);
        if (allocatesOnly()) {
            return memory;
        }
        NvidiaDriver.require(
                JCudaDriver.cuMemsetD8Async(new Address(memory), (byte) 0, Math.max(1, bytes), compute),
                "clearing %d bytes", bytes);
        return memory;
    }

    @Override
    public synchronized MemorySegment reserve(long bytes) {
        enter();
        if (recording.isEmpty()) {
            return fromDriver(bytes);
        }
        return recording.get().take(bytes, this::fromDriver);
    }

    private MemorySegment fromDriver(long bytes) {
        Address address = new Address();
        long size = Math.max(1, bytes);
        int status = tryAllocate(address, size);
        if (status == CUDA_ERROR_OUT_OF_MEMORY && pool.isPresent()) {
            compute.synchronise();
            pool.get().trim();
            status = tryAllocate(address, size);
        }
        if (status == CUDA_ERROR_OUT_OF_MEMORY) {
            throw NvidiaDriver.exhausted(gpu.name(), bytes);
        }
        NvidiaDriver.require(status, "allocation of %d bytes", bytes);
        return address.segment(bytes);
    }

    private int tryAllocate(Address address, long bytes) {
        return pool.isPresent()
                ? JCudaDriver.cuMemAllocAsync(address, bytes, compute)
                : JCudaDriver.cuMemAlloc(address, bytes);
    }

    @Override
    public synchronized void free(MemorySegment memory) {
        enter();
        if (recording.isPresent()) {
            recording.get().giveBack(memory);
            return;
        }
        Address address = new Address(memory);
        NvidiaDriver.require(
                pool.isPresent() ? JCudaDriver.cuMemFreeAsync(address, compute) : JCudaDriver.cuMemFree(address),
                "freeing %d bytes", memory.byteSize());
    }

    @Override
    public synchronized long freeBytes() {
        enter();
        return NvidiaDriver.memory().free();
    }

    @Override
    public void upload(MemorySegment to, HostBytes host) {
        staging.upload(to, host);
    }

    @Override
    public void download(MemorySegment host, MemorySegment from) {
        staging.download(host, from);
    }

    @Override
    public void send(MemorySegment from) {
        staging.send(from);
    }

    @Override
    public void receive(MemorySegment host) {
        staging.receive(host);
    }

    @Override
    public synchronized SharedMemory share(long bytes, long most) {
        enter();
        return new ExportedMemory(gpu.ordinal(), this::enter, compute, bytes, most);
    }

    @Override
    public int sharedMemory() {
        return Gpu.attribute(device, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
    }

    @Override
    public synchronized int constant(String name) {
        enter();
        return modules.constant(name);
    }

    @Override
    public boolean hasWarpGroups() {
        return maps.isPresent();
    }

    @Override
    public synchronized void launch(Launch launch) {
        if (allocatesOnly()) {
            return;
        }
        enter();
        CUfunction function = modules.function(launch);
        Address parameters = new Address(launch.parameters(SegmentAllocator.slicingAllocator(arguments), maps));
        // Nothing else is timed: on an idle GPU, the time of the host would count as the kernel's.
        timed(launch.kernel(), () -> NvidiaDriver.require(
                JCudaDriver.cuLaunchKernel(
                        function, Math.toIntExact(launch.gridX()), Math.toIntExact(launch.gridY()),
                        Math.toIntExact(launch.gridZ()), launch.threads(), 1, 1, launch.shared(), compute, parameters, null),
                "%s", launch));
    }

    @Override
    public synchronized void multiply(Product product) {
        if (allocatesOnly()) {
            return;
        }
        enter();
        openedBlas().ifPresentOrElse(
                library -> timed("cublasGemmEx", () -> library.multiply(product)),
                () -> ProductKernels.multiply(this, product));
    }

    /**
     * Runs the work twice: first without its launches, to allocate its memory, which is impossible in a capture; then in the
     * capture.
     */
    @Override
    public synchronized Recording record(Runnable work) {
        enter();
        blasIfOpened(); // not while the stream is captured
        RecordedMemory memory = new RecordedMemory();
        recording = Optional.of(memory);
        try {
            work.run();
            memory.fix();
            return new LaunchGraph(
                    compute.capture(work), compute, calls -> alone(() -> timed(GRAPH, calls)),
                    () -> memory.all().forEach(this::free));
        } catch (Throwable failure) {
            recording = Optional.empty();
            memory.all().forEach(this::free);
            throw failure;
        } finally {
            recording = Optional.empty();
        }
    }

    /** Whether the memory of a recording is being allocated; nothing is launched then. */
    private boolean allocatesOnly() {
        return recording.isPresent() && !recording.get().isFixed();
    }

    private void timed(String kernel, Runnable launch) {
        if (recording.isPresent()) {
            launch.run();
            return;
        }
        times.ifPresentOrElse(running -> running.around(kernel, launch), launch);
    }

    @Override
    public synchronized SequencedMap<String, Double> time(Runnable work) {
        enter();
        LaunchTimes running = new LaunchTimes(compute);
        times = Optional.of(running);
        try {
            work.run();
        } finally {
            times = Optional.empty();
        }
        return running.seconds();
    }

    @Override
    public synchronized void close() {
        enter();
        compute.synchronise();
        blasIfOpened().ifPresent(Blas::close);
        staging.close();
        modules.close();
        compute.close();
        NvidiaDriver.require(JCudaDriver.cuDevicePrimaryCtxRelease(device), "cuDevicePrimaryCtxRelease");
    }
}
