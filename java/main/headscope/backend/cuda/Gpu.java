package headscope.backend.cuda;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import jcuda.driver.CUdevice;
import jcuda.driver.JCudaDriver;

/**
 * Properties of a GPU.
 *
 * @param ordinal    counted from 0
 * @param capability compute capability times ten
 * @param bytes      of device memory
 */
record Gpu(int ordinal, String name, int capability, long bytes) {
    private static final int MAX_NAME = 256;
    private static final double GIB = 1L << 30;

    /** All GPUs that are visible to the driver. */
    static List<Gpu> all() {
        int[] count = new int[1];
        NvidiaDriver.require(JCudaDriver.cuDeviceGetCount(count), "cuDeviceGetCount");
        return IntStream.range(0, count[0]).mapToObj(Gpu::of).toList();
    }

    private static Gpu of(int ordinal) {
        CUdevice device = device(ordinal);
        byte[] name = new byte[MAX_NAME];
        NvidiaDriver.require(JCudaDriver.cuDeviceGetName(name, name.length, device), "cuDeviceGetName");
        long[] bytes = new long[1];
        NvidiaDriver.require(JCudaDriver.cuDeviceTotalMem(bytes, device), "cuDeviceTotalMem");
        return new Gpu(
                ordinal, new String(name, StandardCharsets.UTF_8).split("\0")[0],
                10 * attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
                        + attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
                bytes[0]);
    }

    static CUdevice device(int ordinal) {
        CUdevice device = new CUdevice();
        NvidiaDriver.require(JCudaDriver.cuDeviceGet(device, ordinal), "cuDeviceGet %d", ordinal);
        return device;
    }

    static int attribute(CUdevice device, int attribute) {
        int[] value = new int[1];
        NvidiaDriver.require(JCudaDriver.cuDeviceGetAttribute(value, attribute, device), "cuDeviceGetAttribute");
        return value[0];
    }

    static String dotted(int capability) {
        return capability / 10 + "." + capability % 10;
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%s, compute capability %s, %.1f GiB", name, dotted(capability), bytes / GIB);
    }
}
