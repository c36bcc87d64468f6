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

/** Two runs into one folder, in the same process and in two processes. */
class FolderLockTest {
    @TempDir
    private Path folder;

    @Test
    void rejectsASecondRunInTheSameProcess() {
        try (RunFolder first = RunFolder.begin(folder.resolve("run"), false, false)) {
            first.file("x");
            assertLocked();
            assertLocked();
        }
    }

    @Test
    void onlyOneOfManyThreadsBegins() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Callable<Object>> tries = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                tries.add(() -> {
                    try {
                        return RunFolder.begin(folder.resolve("run"), true, false);
                    } catch (RunFolderException rejection) {
                        return rejection.getMessage();
                    }
                });
            }
            List<RunFolder> begun = new ArrayList<>();
            for (Future<Object> one : threads.invokeAll(tries)) {
                switch (one.get()) {
                    case RunFolder run -> begun.add(run);
                    case Object message -> assertEquals(lockedMessage(), message);
                }
            }
            assertEquals(1, begun.size());
            begun.getFirst().discard();
        }
    }

    /** The system releases a process's lock when the process closes any handle to the file. */
    @Test
    void lockOutlivesARejectionInTheSameProcess() throws Exception {
        try (RunFolder first = RunFolder.begin(folder.resolve("run"), false, false)) {
            first.file("x");
            assertLocked();
            Process other = otherProcess();
            assertEquals("rejected: " + lockedMessage(), other.inputReader().readLine());
            assertEquals(0, other.waitFor());
        }
    }

    @Test
    void lockEndsWithItsProcess() throws Exception {
        Process other = otherProcess();
        try {
            assertEquals("begun", other.inputReader().readLine());
            assertLocked();
        } finally {
            other.destroyForcibly();
        }
        assertTrue(other.waitFor(30, TimeUnit.SECONDS));
        String message = folder.resolve("run.partial")
                + ": contains an interrupted run; continue it with --resume, or delete it with --overwrite";
        Rejections.assertRejected(RunFolderException.class, message,
                () -> RunFolder.begin(folder.resolve("run"), false, false));
        try (RunFolder resumed = RunFolder.begin(folder.resolve("run"), true, false)) {
            assertTrue(resumed.resumed());
            Files.move(resumed.progress("half"), resumed.file("manifest.json"));
            resumed.commit();
        }
        assertEquals("half", Files.readString(folder.resolve("run").resolve("manifest.json")));
    }

    /** Runs that begin while others finish and delete the folder of the lock: one at a time, and none fails otherwise. */
    @Test
    void concurrentRunsThatOverwritePublishOrAreRejected() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Callable<Object>> tries = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                String manifest = "run " + i;
                tries.add(() -> {
                    try (RunFolder run = RunFolder.begin(folder.resolve("run"), false, true)) {
                        Files.writeString(run.file("manifest.json"), manifest);
                        run.commit();
                        return true;
                    } catch (RunFolderException refused) {
                        return refused.getMessage();
                    }
                });
            }
            int published = 0;
            for (Future<Object> one : threads.invokeAll(tries)) {
                switch (one.get()) {
                    case Boolean done -> published++;
                    case Object message -> assertEquals(lockedMessage(), message);
                }
            }
            assertTrue(published > 0);
        }
        assertEquals(List.of(folder.resolve("run")), FolderTree.members(folder));
        assertEquals(List.of(folder.resolve("run/manifest.json")), FolderTree.members(folder.resolve("run")));
    }

    private void assertLocked() {
        for (boolean flag : new boolean[] {false, true}) {
            Rejections.assertRejected(RunFolderException.class, lockedMessage(),
                    () -> RunFolder.begin(folder.resolve("run"), flag, flag));
        }
    }

    private String lockedMessage() {
        return folder.resolve("run.partial") + ": is being written by another run; wait for it to finish, or choose another --out";
    }

    private Process otherProcess() throws IOException {
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", System.getProperty("java.class.path"), OtherRun.class.getName(),
                folder.resolve("run").toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    /** Begins a run, writes a file and waits until it is killed. */
    static final class OtherRun {
        private OtherRun() {}

        public static void main(String[] arguments) throws Exception {
            try (RunFolder run = RunFolder.begin(Path.of(arguments[0]), false, false)) {
                Files.writeString(run.progress("half"), "half");
                System.out.println("begun");
                Thread.sleep(60_000);
            } catch (RunFolderException rejection) {
                System.out.println("rejected: " + rejection.getMessage());
            }
        }
    }
}
