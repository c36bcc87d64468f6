package headscope.backend;

import java.util.List;

/**
 * What there is to say of NVIDIA's driver, GPUs, kernels and cuBLAS.
 *
 * @param lines   one after the other, part by part
 * @param lacking a GPU is there and cannot be used, or not to the full
 */
public record GpuReport(List<Line> lines, boolean lacking) {
    /** @param part such as "driver" */
    public record Line(String part, String text) {}
}
