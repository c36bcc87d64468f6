package headscope.result.frame;

import com.fasterxml.jackson.databind.ObjectMapper;
import headscope.tensor.DiskFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Appends frames to a new recording. What has been written stays readable when the process is killed. */
public final class FrameFileWriter implements AutoCloseable {
    private final Path file;
    private final FileChannel channel;

    private FrameFileWriter(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * Creates a recording without frames.
     *
     * @throws UncheckedIOException with a message of one line if the file exists or cannot be written
     */
    public static FrameFileWriter create(Path file, FrameSource source) {
        try {
            byte[] described = new ObjectMapper().writeValueAsBytes(source);
            FrameFileWriter writer = new FrameFileWriter(
                    file, FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW));
            try {
                // Written at once, so that a reader finds nothing or all of it.
                ByteBuffer start = FrameFile.start();
                ByteBuffer description = FrameFile.record(described);
                writer.append(ByteBuffer.allocate(start.remaining() + description.remaining()).put(start).put(description).flip());
            } catch (UncheckedIOException failure) {
                writer.close();
                Files.delete(file);
                throw failure;
            }
            return writer;
        } catch (FileAlreadyExistsException exists) {
            throw new UncheckedIOException(
                    file + ": already exists; name another file for the recording", exists);
        } catch (IOException failure) {
            throw failed(file, failure);
        }
    }

    /**
     * Appends a frame.
     *
     * @throws UncheckedIOException with a message of one line if the disk fails; the frames before stay readable
     */
    public void write(RecordedFrame frame) {
        append(FrameFile.record(FrameCoding.encode(frame)));
    }

    private void append(ByteBuffer bytes) {
        long end = -1;
        try {
            end = channel.position();
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException failure) {
            removeFrom(end);
            throw failed(file, failure);
        }
    }

    /** Removes what a failed write has left; if this fails too, readers ignore a record that is cut. */
    private void removeFrom(long end) {
        try {
            if (end >= 0) {
                channel.truncate(end);
            }
        } catch (IOException _) {
            // the first failure is reported
        }
    }

    private static UncheckedIOException failed(Path file, IOException failure) {
        return new UncheckedIOException("%s: cannot be written: %s".formatted(file, DiskFailure.reason(failure)), failure);
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException failure) {
            throw failed(file, failure);
        }
    }
}
