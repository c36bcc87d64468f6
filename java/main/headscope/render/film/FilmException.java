package headscope.render.film;

/** A film that cannot be made. The message is one line. */
public final class FilmException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    FilmException(String message) {
        super(message);
    }
}
