package headscope.render.film;

import headscope.render.Image;

/** Takes images and writes nothing. */
final class NoFilm implements Film {
    @Override
    public void add(Image image) {}

    @Override
    public void finish() {}

    @Override
    public void close() {}
}
