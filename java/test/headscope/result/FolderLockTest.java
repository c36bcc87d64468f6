package headscope.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two runs of one folder: in this process, and in another. */
class FolderLockTest {
    @TempDir
    private Path folder;

    @Test
    void secondRunOfThisProcessIsRefused() {
        try (RunFolder first = RunFolder.begin(folder.resolve("run"), false, false)) {
            first.file("x");
            refuse();
            refuse();
        }
    }

    @Test
    void ofManyThreadsOneBegins() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Callable<Object>> tries = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                tries.add(() -> {
                    try {
                        return RunFolder.begin(folder.resolve("run"), true, false);
                    } catch (RunFolderException refused) {
                        return refused.getMessage();
                    }
                });
            }
            List<RunFolder> begun = new ArrayList<>();
            for (Future<Object> one : threads.invokeAll(tries)) {
                switch (one.get()) {
                    case RunFolder run -> begun.add(run);
                    case Object message -> assertEquals(held(), message);
                }
            }
            assertEquals(1, begun.size());
            begun.getFirst().discard();
        }
    }

    /** The system drops a process's lock with any handle to the file that the process closes. */
    @Test
    void lockSurvivesARefusalInTheSameProcess() throws Exception {
        try (RunFolder first = RunFolder.begin(folder.resolve("run"), false, false)) {
            first.file("x");
            refuse();
            Process other = otherProcess();
            assertEquals("refused: " + held(), other.inputReader().readLine());
            assertEquals(0, other.waitFor());
        }
    }

    @Test
    void otherProcessHoldsUntilItIsKilled() throws Exception {
        Process other = otherProcess();
        try {
            assertEquals("begun", other.inputReader().readLine());
            refuse();
        } finally {
            other.destroyForcibly();
        }
        assertTrue(other.waitFor(30, TimeUnit.SECONDS));
        String message = folder.resolve("run.partial")
                + ": contains an interrupted run; continue it with --resume, or delete it with --overwrite";
        Refusals.refused(RunFolderException.class, message,
                () -> RunFolder.begin(folder.resolve("run"), false, false));
        try (RunFolder resumed = RunFolder.begin(folder.resolve("run"), true, false)) {
            assertTrue(resumed.resumed());
            Files.move(resumed.file("half"), resumed.file("manifest.json"));
            resumed.commit();
        }
        assertEquals("half", Files.readString(folder.resolve("run").resolve("manifest.json")));
    }

    private void refuse() {
        for (boolean flag : new boolean[] {false, true}) {
            Refusals.refused(RunFolderException.class, held(),
                    () -> RunFolder.begin(folder.resolve("run"), flag, flag));
        }
    }

    private String held() {
        return folder.resolve("run.partial") + ": is being written by another run; wait for it to finish, or choose another --out";
    }

    private Process otherProcess() throws IOException {
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", System.getProperty("java.class.path"), OtherRun.class.getName(),
                folder.resolve("run").toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    /** Begins a run, writes a file, and stays until it is killed. */
    static final class OtherRun {
        private OtherRun() {}

        public static void main(String[] arguments) throws Exception {
            try (RunFolder run = RunFolder.begin(Path.of(arguments[0]), false, false)) {
                Files.writeString(run.file("half"), "half");
                System.out.println("begun");
                Thread.sleep(60_000);
            } catch (RunFolderException refused) {
                System.out.println("refused: " + refused.getMessage());
            }
        }
    }
}
