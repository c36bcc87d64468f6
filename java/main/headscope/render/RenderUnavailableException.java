package headscope.render;

/** This machine cannot draw. The message is one line that names what is missing and what to do. */
public final class RenderUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private RenderUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }

    /** @param remedy what the user can do, as the end of a sentence */
    public RenderUnavailableException(String missing, String remedy) {
        super(missing + "; " + remedy);
    }

    /** EGL or its driver is not installed. */
    static RenderUnavailableException missing(String what, Throwable cause) {
        return new RenderUnavailableException(what + "; install it with: apt-get install libegl1 libgl1-mesa-dri", cause);
    }

    /**
     * A driver is there and refuses.
     *
     * @param vendor of EGL
     */
    static RenderUnavailableException refused(String vendor) {
        String override = System.getenv("MESA_GL_VERSION_OVERRIDE");
        return new RenderUnavailableException("EGL (%s) provides no OpenGL 3.3 core context; %s".formatted(vendor,
                override == null
                        ? "update the graphics driver, or draw with Mesa's software renderer: set LIBGL_ALWAYS_SOFTWARE=1"
                        : "unset MESA_GL_VERSION_OVERRIDE, which is " + override), null);
    }
}
