package headscope.backend.cuda;

import headscope.backend.Recording;
import java.util.function.Consumer;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.JCudaDriver;

/** A CUDA graph that a stream has captured, ready to be launched on it. */
final class LaunchGraph implements Recording {
    private final CUgraphExec executable = new CUgraphExec();
    private final Stream stream;
    private final Consumer<Runnable> alone;
    private final Runnable release;

    /**
     * @param graph   destroyed
     * @param alone   runs calls of the driver while no other thread does
     * @param release frees the memory of the launches
     */
    LaunchGraph(CUgraph graph, Stream stream, Consumer<Runnable> alone, Runnable release) {
        this.stream = stream;
        this.alone = alone;
        this.release = release;
        int status = JCudaDriver.cuGraphInstantiate(executable, graph, 0);
        JCudaDriver.cuGraphDestroy(graph);
        NvidiaDriver.require(status, "cuGraphInstantiate");
    }

    @Override
    public void launch() {
        alone.accept(() -> NvidiaDriver.require(JCudaDriver.cuGraphLaunch(executable, stream), "cuGraphLaunch"));
    }

    @Override
    public void close() {
        alone.accept(() -> JCudaDriver.cuGraphExecDestroy(executable));
        release.run();
    }
}
