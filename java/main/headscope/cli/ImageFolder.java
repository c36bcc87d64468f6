package headscope.cli;

import headscope.render.Image;
import headscope.render.PngFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Counts images, and writes them into a folder if there is one. The folder is created with the first image. */
final class ImageFolder implements Consumer<Image> {
    private static final int DPI = 96;

    private final Optional<Path> folder;
    private int images;

    ImageFolder(Optional<Path> folder) {
        this.folder = folder;
    }

    @Override
    public void accept(Image image) {
        if (folder.isPresent()) {
            try {
                Files.createDirectories(folder.get());
            } catch (IOException problem) {
                throw new UncheckedIOException(problem);
            }
            PngFile.write(folder.get().resolve("frame-%06d.png".formatted(images)), image, DPI, Map.of());
        }
        images++;
    }

    int images() {
        return images;
    }
}
