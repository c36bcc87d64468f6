package headscope.backend;

import java.util.List;

/**
 * State of NVIDIA's driver, GPUs, kernels and cuBLAS on this machine.
 *
 * @param lines      in the order of output
 * @param incomplete whether a GPU is present but something is missing to use it fully
 */
public record GpuReport(List<Line> lines, boolean incomplete) {
    /** @param part component, such as "driver" */
    public record Line(String part, String text) {}
}
