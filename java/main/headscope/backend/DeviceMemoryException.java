package headscope.backend;

import java.util.Locale;

/** A device is out of memory; a smaller allocation may succeed: see {@link SplitOnOutOfMemory}. */
public final class DeviceMemoryException extends DeviceException {
    private static final long serialVersionUID = 1L;
    private static final double MIB = 1 << 20;

    /**
     * @param device name, such as "NVIDIA H200"
     * @param bytes  requested; free and total are the device's
     */
    public DeviceMemoryException(String device, long bytes, long free, long total) {
        super(String.format(Locale.ROOT,
                "%s: %.1f MiB of memory are needed, %.1f of %.1f MiB are free; use shorter texts, --dtype bf16 or --device"
                        + " cpu", device, bytes / MIB, free / MIB, total / MIB));
    }
}
