package headscope.live.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** A process of clients/python/test/feed.py, which feeds a ring. */
final class Feed implements AutoCloseable {
    /** New tokens after the prompt; the last is not read. */
    static final int NEW_TOKENS = 9;

    /** The model that it runs. */
    static final Path FIXTURE = fixture();

    private static final Path SCRIPT = Path.of("clients/python/test/feed.py").toAbsolutePath();

    private final Process process;
    private final BufferedReader out;
    private final Path err;

    /** @param variables added to the environment */
    Feed(Path folder, String name, String mode, Map<String, String> variables) throws IOException {
        err = Files.createTempFile(folder, "err", ".txt");
        ProcessBuilder builder = new ProcessBuilder("/usr/bin/python3", SCRIPT.toString(), name, FIXTURE.toString(), mode)
                .directory(folder.toFile())
                .redirectError(err.toFile());
        builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
        builder.environment().putAll(variables);
        process = builder.start();
        out = process.inputReader(StandardCharsets.UTF_8);
    }

    private static Path fixture() {
        try {
            return Path.of(Feed.class.getResource("/headscope/fixtures/gpt2").toURI());
        } catch (URISyntaxException impossible) {
            throw new AssertionError(impossible);
        }
    }

    String line() throws IOException {
        String line = out.readLine();
        if (line == null) {
            throw new AssertionError("feed.py has ended: " + err());
        }
        return line;
    }

    /** Lets the script go on. */
    void next() throws IOException {
        process.outputWriter().write("\n");
        process.outputWriter().flush();
    }

    /** Lets it end. @return its last line */
    String end() throws IOException, InterruptedException {
        next();
        String line = line();
        await();
        return line;
    }

    /** Waits for its end. */
    void await() throws IOException, InterruptedException {
        assertEquals(0, process.waitFor(), err());
    }

    long pid() {
        return process.pid();
    }

    /** What it has written to standard error. */
    String err() throws IOException {
        return Files.readString(err);
    }

    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
