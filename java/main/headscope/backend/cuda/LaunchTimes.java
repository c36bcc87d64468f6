package headscope.backend.cuda;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import jcuda.driver.CUevent;
import jcuda.driver.JCudaDriver;

/** Device time per kernel, from events before and after every launch. */
final class LaunchTimes {
    private record Span(String kernel, CUevent start, CUevent end) {}

    private final Stream stream;
    private final List<Span> spans = new ArrayList<>();

    LaunchTimes(Stream stream) {
        this.stream = stream;
    }

    void around(String kernel, Runnable launch) {
        CUevent start = record();
        launch.run();
        spans.add(new Span(kernel, start, record()));
    }

    private CUevent record() {
        CUevent event = new CUevent();
        NvidiaDriver.require(JCudaDriver.cuEventCreate(event, 0), "cuEventCreate");
        NvidiaDriver.require(JCudaDriver.cuEventRecord(event, stream), "cuEventRecord");
        return event;
    }

    /** Waits for all launches; returns seconds per kernel, in the order of their first launch. */
    SequencedMap<String, Double> seconds() {
        stream.synchronise();
        SequencedMap<String, Double> seconds = new LinkedHashMap<>();
        float[] milliseconds = new float[1];
        for (Span span : spans) {
            NvidiaDriver.require(
                    JCudaDriver.cuEventElapsedTime(milliseconds, span.start, span.end), "cuEventElapsedTime");
            seconds.merge(span.kernel, milliseconds[0] / 1e3, Double::sum);
            JCudaDriver.cuEventDestroy(span.start);
            JCudaDriver.cuEventDestroy(span.end);
        }
        return seconds;
    }
}
