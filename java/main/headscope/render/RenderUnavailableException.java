package headscope.render;

/** This machine cannot draw. The message is one line that names what is missing and how to install it. */
public final class RenderUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private static final String REMEDY = "; install it with: apt-get install libegl1 libgl1-mesa-dri";

    RenderUnavailableException(String missing, Throwable cause) {
        super(missing + REMEDY, cause);
    }

    RenderUnavailableException(String missing) {
        super(missing + REMEDY);
    }
}
