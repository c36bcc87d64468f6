package headscope.cli;

import headscope.cli.terminal.StandardError;
import headscope.tensor.DiskFailure;
import headscope.tensor.Printable;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Standard output in UTF-8. Control characters that names from files may contain are escaped, and a failure to write is
 * remembered, because {@link PrintStream} reports none.
 */
public final class StandardOutput {
    private final Recorder recorder;
    private final PrintStream stream;

    private StandardOutput(OutputStream target) {
        this.recorder = new Recorder(new BufferedOutputStream(target));
        this.stream = new Printer(recorder);
    }

    /** Replaces {@link System#out}; standard error, too, is in UTF-8 from here on. */
    public static StandardOutput install() {
        StandardOutput output = new StandardOutput(new FileOutputStream(FileDescriptor.out));
        System.setOut(output.stream);
        System.setErr(new PrintStream(new StandardError(), true, StandardCharsets.UTF_8));
        return output;
    }

    /**
     * Flushes, and prints one line if output has been lost.
     *
     * @param status of the program
     * @return the status, or that of an error if output has been lost
     */
    public int close(int status) {
        stream.flush();
        if (recorder.failure.isPresent()) {
            HeadscopeCommand.warn("standard output: cannot be written: "
                    + DiskFailure.reason(recorder.failure.get()) + "; what was printed is incomplete");
            return status == 0 ? HeadscopeCommand.INVALID_INPUT : status;
        }
        return status;
    }

    /** Remembers the first failure. */
    private static final class Recorder extends FilterOutputStream {
        private Optional<IOException> failure = Optional.empty();

        Recorder(OutputStream target) {
            super(target);
        }

        private interface Action {
            void run() throws IOException;
        }

        private void record(Action action) throws IOException {
            try {
                action.run();
            } catch (IOException lost) {
                failure = failure.or(() -> Optional.of(lost));
                throw lost;
            }
        }

        @Override
        public void write(int one) throws IOException {
            record(() -> out.write(one));
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            record(() -> out.write(bytes, from, count));
        }

        @Override
        public void flush() throws IOException {
            record(out::flush);
        }
    }

    /** All text passes {@link #print(String)}; picocli's help, which may be coloured, is written as bytes. */
    private static final class Printer extends PrintStream {
        Printer(OutputStream target) {
            super(target, true, StandardCharsets.UTF_8);
        }

        @Override
        public void print(String text) {
            super.print(Printable.lines(String.valueOf(text)));
        }
    }
}
