package headscope.backend.cuda;

import static jcuda.driver.CUevent_flags.CU_EVENT_DISABLE_TIMING;
import static jcuda.driver.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
import static jcuda.driver.CUstream_flags.CU_STREAM_NON_BLOCKING;

import java.lang.foreign.MemorySegment;
import jcuda.driver.CUevent;
import jcuda.driver.CUgraph;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/** A CUDA stream with an event for which other streams can wait. */
final class Stream extends CUstream implements AutoCloseable {
    private final CUevent event = new CUevent();

    /** Creates a stream in the current context. */
    Stream() {
        NvidiaDriver.require(JCudaDriver.cuStreamCreate(this, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
        NvidiaDriver.require(JCudaDriver.cuEventCreate(event, CU_EVENT_DISABLE_TIMING), "cuEventCreate");
    }

    /** Makes later work on this stream wait for all earlier work on another one. */
    void follow(Stream other) {
        NvidiaDriver.require(JCudaDriver.cuEventRecord(other.event, other), "cuEventRecord");
        NvidiaDriver.require(JCudaDriver.cuStreamWaitEvent(this, other.event, 0), "cuStreamWaitEvent");
    }

    /** Until all is done. */
    void synchronise() {
        NvidiaDriver.require(JCudaDriver.cuStreamSynchronize(this), "cuStreamSynchronize");
    }

    /** Records what the work enqueues on this stream, instead of running it. */
    CUgraph capture(Runnable work) {
        CUgraph graph = new CUgraph();
        NvidiaDriver.require(
                JCudaDriver.cuStreamBeginCapture(this, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL), "cuStreamBeginCapture");
        try {
            work.run();
        } catch (Throwable failure) {
            JCudaDriver.cuStreamEndCapture(this, graph);
            JCudaDriver.cuGraphDestroy(graph);
            throw failure;
        }
        NvidiaDriver.require(JCudaDriver.cuStreamEndCapture(this, graph), "cuStreamEndCapture");
        return graph;
    }

    /** As C sees it. */
    MemorySegment handle() {
        return MemorySegment.ofAddress(getNativePointer());
    }

    @Override
    public void close() {
        JCudaDriver.cuEventDestroy(event);
        JCudaDriver.cuStreamDestroy(this);
    }
}
