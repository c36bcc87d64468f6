package headscope.backend;

/** A call to a device failed. The message names the call, and for a kernel its grid and arguments. */
public sealed class DeviceException extends RuntimeException permits DeviceMemoryException {
    private static final long serialVersionUID = 1L;

    public DeviceException(String message) {
        super(message);
    }
}
