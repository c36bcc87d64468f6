package headscope.render.film;

import headscope.render.Image;
import java.nio.file.Path;
import java.util.Locale;

/** Images of one size, one after the other, in a file that appears complete or not at all. */
public interface Film extends AutoCloseable {
    /** Takes images and writes nothing. */
    Film NONE = new NoFilm();

    /**
     * Begins a film: an animated PNG if the file's name ends in .png, H.264 in .mp4.
     *
     * @param perSecond images per second
     * @throws IllegalArgumentException      if the name has another ending
     * @throws FilmException                 if ffmpeg is needed and not installed
     * @throws java.io.UncheckedIOException  if the file cannot be written
     */
    static Film begin(Path file, int perSecond) {
        require(file);
        return ends(file, ".png") ? new AnimatedPng(file, perSecond) : new FfmpegFilm(file, perSecond);
    }

    /** Checks that {@link #begin} knows how to write such a file here. */
    static void require(Path file) {
        if (ends(file, ".mp4")) {
            FfmpegFilm.requireInstalled(file);
        } else if (!ends(file, ".png")) {
            throw new IllegalArgumentException(file + ": a film ends in .png (animated PNG) or .mp4");
        }
    }

    private static boolean ends(Path file, String ending) {
        return file.toString().toLowerCase(Locale.ROOT).endsWith(ending);
    }

    void add(Image image);

    /** Publishes the file, unless the film has no image. */
    void finish();

    /** Without {@link #finish}, deletes what has been written. */
    @Override
    void close();
}
