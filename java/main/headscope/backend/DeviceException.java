package headscope.backend;

/** A call to a device failed: which call, and for a kernel its grid and what it was given. */
public sealed class DeviceException extends RuntimeException permits DeviceMemoryException {
    private static final long serialVersionUID = 1L;

    public DeviceException(String message) {
        super(message);
    }
}
