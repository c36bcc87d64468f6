package headscope.render.film;

import headscope.render.Image;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** H.264 in an MP4 file, encoded by the system's ffmpeg, which reads the pixels from a pipe. */
final class FfmpegFilm implements Film {
    private final PartialFile partial;
    private final PartialFile messages;
    private final int perSecond;
    private Optional<Process> encoder = Optional.empty();
    private int width;
    private int height;

    FfmpegFilm(Path file, int perSecond) {
        this.partial = PartialFile.of(file, ".mp4");
        this.messages = PartialFile.of(file, ".txt");
        this.perSecond = perSecond;
        try {
            Files.createFile(partial.path()); // the folder exists and can be written
        } catch (IOException problem) {
            throw partial.failed(problem);
        }
    }

    static void requireInstalled(Path film) {
        boolean installed = Stream.of(Optional.ofNullable(System.getenv("PATH")).orElse("").split(":"))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, "ffmpeg")));
        if (!installed) {
            throw new FilmException(
                    film + ": needs ffmpeg: apt-get install ffmpeg, or name a .png file for an animated PNG");
        }
    }

    @Override
    public void add(Image image) {
        try {
            if (encoder.isEmpty()) {
                width = image.width();
                height = image.height();
                encoder = Optional.of(start());
            } else if (image.width() != width || image.height() != height) {
                throw new IllegalArgumentException("%d x %d after %d x %d".formatted(image.width(), image.height(), width, height));
            }
            ByteBuffer pixels = ByteBuffer.allocate(Integer.BYTES * width * height).order(ByteOrder.LITTLE_ENDIAN);
            pixels.asIntBuffer().put(image.argb());
            encoder.get().getOutputStream().write(pixels.array());
        } catch (IOException problem) {
            throw failed();
        }
    }

    /** H.264 with colours at half the resolution, which every player knows, needs even sizes. */
    private Process start() throws IOException {
        return new ProcessBuilder(List.of("ffmpeg", "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "bgra",
                "-s", width + "x" + height, "-r", String.valueOf(perSecond), "-i", "-",
                "-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p",
                "-movflags", "+faststart", partial.path().toString()))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(messages.path().toFile())
                .start();
    }

    private FilmException failed() {
        String reason = "ffmpeg has ended";
        try {
            reason = Files.readString(messages.path(), StandardCharsets.UTF_8).lines().findFirst().orElse(reason);
        } catch (IOException _) {
            // the reason stays unknown
        }
        return new FilmException("%s: cannot be written: %s".formatted(partial.target(), reason));
    }

    @Override
    public void finish() {
        if (encoder.isEmpty()) {
            return;
        }
        try (OutputStream end = encoder.get().getOutputStream()) {
            end.flush();
        } catch (IOException problem) {
            throw failed();
        }
        if (status() != 0) {
            throw failed();
        }
        partial.publish();
    }

    private int status() {
        try {
            return encoder.orElseThrow().waitFor();
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
            throw new FilmException(partial.target() + ": cannot be written: interrupted");
        }
    }

    @Override
    public void close() {
        encoder.filter(Process::isAlive).ifPresent(process -> {
            process.destroyForcibly();
            status();
        });
        partial.delete();
        messages.delete();
    }
}
