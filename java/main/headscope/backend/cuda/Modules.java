package headscope.backend.cuda;

import static jcuda.driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
import static jcuda.driver.CUresult.CUDA_SUCCESS;

import headscope.backend.DeviceException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;

/** Looks up kernels and exported constants by name in all modules. */
final class Modules implements AutoCloseable {
    private final List<CUmodule> modules = new ArrayList<>();
    private final Map<String, CUfunction> functions = new HashMap<>();
    private final Map<String, Integer> allowed = new HashMap<>();
    private final Map<String, Integer> constants = new HashMap<>();

    /** @param images fatbin per family */
    Modules(Map<String, byte[]> images) {
        images.forEach((family, image) -> {
            CUmodule module = new CUmodule();
            NvidiaDriver.require(JCudaDriver.cuModuleLoadData(module, image), "cuModuleLoadData of %s.fatbin", family);
            modules.add(module);
        });
    }

    /** @throws DeviceException if no module contains it */
    CUfunction function(String name) {
        return functions.computeIfAbsent(name, kernel -> {
            CUfunction function = new CUfunction();
            for (CUmodule module : modules) {
                if (JCudaDriver.cuModuleGetFunction(function, module, kernel) == CUDA_SUCCESS) {
                    return function;
                }
            }
            throw new DeviceException("no kernel named " + kernel + "; run: ./headscope kernels");
        });
    }

    /** The kernel of a launch; raises its limit of dynamic shared memory if necessary. */
    CUfunction function(Launch launch) {
        CUfunction function = function(launch.kernel());
        // By default static and dynamic shared memory together are limited to 48 KiB.
        if (launch.shared() > allowed.getOrDefault(launch.kernel(), 0)) {
            NvidiaDriver.require(
                    JCudaDriver.cuFuncSetAttribute(
                            function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, launch.shared()),
                    "%d bytes of shared memory for %s", launch.shared(), launch);
            allowed.put(launch.kernel(), launch.shared());
        }
        return function;
    }

    /** @throws DeviceException if no module exports it */
    int constant(String name) {
        return constants.computeIfAbsent(name, constant -> {
            Address address = new Address();
            long[] bytes = new long[1];
            for (CUmodule module : modules) {
                if (JCudaDriver.cuModuleGetGlobal(address, bytes, module, constant) == CUDA_SUCCESS) {
                    byte[] value = new byte[Integer.BYTES];
                    NvidiaDriver.require(
                            JCudaDriver.cuMemcpyDtoH(Pointer.to(value), address, value.length), "reading %s", constant);
                    return ByteBuffer.wrap(value).order(ByteOrder.nativeOrder()).getInt();
                }
            }
            throw new DeviceException("no kernel exports " + constant + "; run: ./headscope kernels");
        });
    }

    @Override
    public void close() {
        modules.forEach(JCudaDriver::cuModuleUnload);
    }
}
