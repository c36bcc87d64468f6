package headscope.backend.cuda;

import static jcuda.driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
import static jcuda.driver.CUfunction_attribute.CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT;
import static jcuda.driver.CUresult.CUDA_SUCCESS;

import headscope.backend.DeviceException;
import java.lang.foreign.MemorySegment;
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
    /** Percent. */
    private static final int ALL_SHARED = 100;

    private final List<CUmodule> modules = new ArrayList<>();
    private final Map<String, Function> functions = new HashMap<>();
    private final Map<String, Integer> allowed = new HashMap<>();
    private final Map<String, Integer> constants = new HashMap<>();

    /** A kernel, and whether it {@link EarlyLaunches begins early}. */
    static final class Function extends CUfunction {
        private boolean early;

        boolean beginsEarly() {
            return early;
        }

        /** As C sees it. */
        MemorySegment handle() {
            return MemorySegment.ofAddress(getNativePointer());
        }
    }

    /** @param images fatbin per family */
    Modules(Map<String, byte[]> images) {
        images.forEach((family, image) -> {
            CUmodule module = new CUmodule();
            NvidiaDriver.require(JCudaDriver.cuModuleLoadData(module, image), "cuModuleLoadData of %s.fatbin", family);
            modules.add(module);
        });
    }

    /** @throws DeviceException if no module contains it */
    Function function(String name) {
        return functions.computeIfAbsent(name, kernel -> {
            Function function = new Function();
            for (CUmodule module : modules) {
                if (JCudaDriver.cuModuleGetFunction(function, module, kernel) == CUDA_SUCCESS) {
                    function.early = JCudaDriver.cuModuleGetGlobal(
                            new Address(), new long[1], module, kernel + "_begins_early") == CUDA_SUCCESS;
                    if (function.early) {
                        keepSharedMemory(function);
                    }
                    return function;
                }
            }
            throw new DeviceException("no kernel named " + kernel + "; run: ./headscope kernels");
        });
    }

    /**
     * A multiprocessor divides its memory into cache and shared memory only while it is idle: blocks that begin early get what the
     * launch before has left, and launches that want other divisions wait for one another.
     */
    private static void keepSharedMemory(Function function) {
        NvidiaDriver.require(
                JCudaDriver.cuFuncSetAttribute(
                        function, CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, ALL_SHARED), "cuFuncSetAttribute");
    }

    /** The kernel of a launch; raises its limit of dynamic shared memory if necessary. */
    Function function(Launch launch) {
        Function function = function(launch.kernel());
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
