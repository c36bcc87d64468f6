package headscope.render.film;

import headscope.render.Image;
import java.nio.file.Path;
import java.util.Locale;

/** Images of one size, one after the other, in a file that appears complete or not at all. */
public interface Film extends AutoCloseable {
    /**
     * Begins a film: an animated PNG if the file's name ends in .png, H.264 in .mp4.
     *
     * @param perSecond images per second
     * @throws IllegalArgumentException      if the name has another ending
     * @throws FilmException                 if ffmpeg is needed and not installed
     * @throws java.io.UncheckedIOException  if the file cannot be written
     */
    static Film begin(Path file, int perSecond) {
        String name = file.toString().toLowerCase(Locale.ROOT);
        if (name.endsWith(".png")) {
            return new AnimatedPng(file, perSecond);
        }
        if (name.endsWith(".mp4")) {
            return new FfmpegFilm(file, perSecond);
        }
        throw new IllegalArgumentException(file + ": a film ends in .png (animated PNG) or .mp4");
    }

    void add(Image image);

    /** Publishes the file, unless the film has no image. */
    void finish();

    /** Without {@link #finish}, deletes what has been written. */
    @Override
    void close();
}
