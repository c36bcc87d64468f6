package headscope.render;

/** This machine cannot draw. The message is one line that names what is missing and how to get it. */
public final class RenderUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private static final String REMEDY = "install it with: apt-get install libegl1 libgl1-mesa-dri";

    /** @param remedy what the user can do, as the end of a sentence */
    public RenderUnavailableException(String missing, String remedy) {
        super(missing + "; " + remedy);
    }

    RenderUnavailableException(String missing, Throwable cause) {
        super(missing + "; " + REMEDY, cause);
    }

    RenderUnavailableException(String missing) {
        this(missing, REMEDY);
    }
}
