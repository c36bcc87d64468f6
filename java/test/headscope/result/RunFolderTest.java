package headscope.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RunFolderTest {
    private static final String INTERRUPTED =
            "contains an interrupted run; continue it with --resume, or delete it with --overwrite";

    @TempDir
    private Path folder;
    private Path out;
    private Path partial;

    @BeforeEach
    void paths() {
        out = folder.resolve("runs").resolve("first");
        partial = folder.resolve("runs").resolve("first.partial");
    }

    @Test
    void commitPublishesTheFolder() throws IOException {
        try (RunFolder run = RunFolder.begin(out, false, false)) {
            assertFalse(run.resumed());
            assertEquals(out, run.out());
            Files.writeString(run.file("manifest.json"), "{}");
            Files.writeString(run.file("figures/overview.png"), "png");
            Files.writeString(run.progress("done.txt"), "3");
            assertFalse(Files.exists(out));
            run.commit();
        }
        assertEquals(List.of("figures", "figures/overview.png", "manifest.json"), files(out));
        assertEquals(List.of("first"), members(folder.resolve("runs")));
    }

    @Test
    void resumesAnInterruptedRun() throws IOException {
        interrupt();
        rejects(partial + ": " + INTERRUPTED, () -> RunFolder.begin(out, false, false));
        Files.writeString(partial.resolve(".headscope-progress/x.safetensors.partial-77"), "killed while writing");
        try (RunFolder run = RunFolder.begin(out, true, false)) {
            assertTrue(run.resumed());
            assertEquals("3", Files.readString(run.progress("done.txt")));
            assertFalse(Files.exists(run.progress("x.safetensors.partial-77")));
            // results are written again as a whole: an older table may belong to other settings
            Files.writeString(run.file("manifest.json"), "{}");
            run.commit();
        }
        assertEquals(List.of("manifest.json"), files(out));
        assertEquals(List.of("first"), members(folder.resolve("runs")));
    }

    @Test
    void overwritesAnInterruptedRun() throws IOException {
        interrupt();
        try (RunFolder run = RunFolder.begin(out, false, true)) {
            assertFalse(run.resumed());
            Files.writeString(run.file("manifest.json"), "{}");
            run.commit();
        }
        assertEquals(List.of("manifest.json"), files(out));
    }

    @Test
    void resumeStartsARunIfNoneWasInterrupted() throws IOException {
        try (RunFolder run = RunFolder.begin(out, true, false)) {
            assertFalse(run.resumed());
            assertEquals(partial.resolve("results/heads.csv"), run.file("heads.csv"));
        }
        try (RunFolder run = RunFolder.begin(out, false, false)) {
            assertFalse(run.resumed());
        }
    }

    @Test
    void keepsEarlierResultsUnlessOverwritten() throws IOException {
        commit("old");
        rejects(out + ": already exists; choose another --out, or use --overwrite",
                () -> RunFolder.begin(out, false, false));
        rejects(out + ": already exists; choose another --out, or use --overwrite",
                () -> RunFolder.begin(out, true, false));
        try (RunFolder run = RunFolder.begin(out, false, true)) {
            Files.writeString(run.file("manifest.json"), "new");
            assertEquals("old", Files.readString(out.resolve("manifest.json")));
            run.commit();
        }
        assertEquals("new", Files.readString(out.resolve("manifest.json")));
        assertEquals(List.of("first"), members(folder.resolve("runs")));
    }

    @Test
    void killBeforeTheExchangeIsUndone() throws IOException {
        commit("old");
        interruptBeforeCommit();
        mark();
        try (RunFolder run = RunFolder.begin(out, true, true)) {
            assertTrue(run.resumed());
            assertEquals(Optional.empty(), run.notice());
            assertEquals("3", Files.readString(run.progress("done.txt")));
        }
        assertEquals("old", Files.readString(out.resolve("manifest.json")));
    }

    @Test
    void killAfterTheExchangeIsFinished() throws IOException {
        commit("old");
        interruptBeforeCommit();
        mark();
        assertTrue(NameExchange.exchange(partial.resolve("results"), out));
        assertPublished(": deleted what an interrupted run had left in %s after it published its results".formatted(partial));
    }

    /** A kill amid the deletion of the older results. */
    @Test
    void killAfterTheOlderManifestIsDeletedIsFinished() throws IOException {
        commit("old");
        interruptBeforeCommit();
        mark();
        assertTrue(NameExchange.exchange(partial.resolve("results"), out));
        Files.delete(partial.resolve("results/manifest.json"));
        assertPublished(": deleted what an interrupted run had left in %s after it published its results".formatted(partial));
    }

    /** On a file system without an exchange of names. */
    @Test
    void killBetweenTwoRenamesIsFinished() throws IOException {
        commit("old");
        interruptBeforeCommit();
        mark();
        Files.move(out, partial.resolve(".headscope-replaced"));
        assertPublished(": published the results of a run that was interrupted while it replaced this folder");
    }

    /** A folder that cannot be renamed, as in a lower layer of an overlay file system. */
    @Test
    void folderThatCannotBeRenamedIsEmptied() throws IOException {
        commit("old");
        Files.writeString(out.resolve("old.csv"), "old");
        interruptBeforeCommit();
        Publication publication = new Publication(out, partial);
        publication.replaceInPlace();
        assertEquals(List.of("heads.csv", "manifest.json"), files(out));
        assertEquals("new", Files.readString(out.resolve("manifest.json")));
        publication.clean();
        assertEquals(List.of(".headscope-lock"), members(partial));
    }

    /** After each step: the manifest is renamed, another file is deleted, the folder is deleted. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void killWhileAFolderIsEmptiedIsFinished(int steps) throws IOException {
        commit("old");
        Files.writeString(out.resolve("old.csv"), "old");
        interruptBeforeCommit();
        mark();
        Files.createDirectory(partial.resolve(".headscope-replaced"));
        Path emptied = out.resolve(".headscope-replaced-manifest.json");
        Files.move(out.resolve("manifest.json"), emptied);
        if (steps > 1) {
            Files.delete(out.resolve("old.csv"));
        }
        if (steps > 2) {
            Files.delete(emptied);
            Files.delete(out);
        }
        assertPublished(": published the results of a run that was interrupted while it replaced this folder");
    }

    /** The first run into a folder, killed before it deleted its progress. */
    @Test
    void killAfterTheFirstPublicationIsFinished() throws IOException {
        interruptBeforeCommit();
        mark();
        Files.move(partial.resolve("results"), out);
        try (RunFolder run = RunFolder.begin(out, true, true)) {
            assertFalse(run.resumed());
            assertTrue(run.notice().isPresent());
        }
        assertEquals("new", Files.readString(out.resolve("manifest.json")));
    }

    @Test
    void twoRenamesReplaceAsAnExchangeDoes() throws IOException {
        commit("old");
        interruptBeforeCommit();
        Publication publication = new Publication(out, partial);
        publication.replaceInTwoSteps();
        assertEquals("new", Files.readString(out.resolve("manifest.json")));
        publication.clean();
        assertEquals(List.of(".headscope-lock"), members(partial));
    }

    @Test
    void exchangeSwapsNames() throws IOException {
        Path a = Files.writeString(folder.resolve("ä 漢"), "a");
        Path b = Files.createDirectory(folder.resolve("b"));
        assertTrue(NameExchange.exchange(a, b));
        assertTrue(Files.isDirectory(a));
        assertEquals("a", Files.readString(b));
        assertFalse(NameExchange.exchange(a, folder.resolve("absent")));
        assertTrue(Files.isDirectory(a));
    }

    @Test
    void targetOfALinkIsReplaced() throws IOException {
        commit("old");
        Path link = Files.createSymbolicLink(folder.resolve("link"), out);
        rejects(out + ": already exists; choose another --out, or use --overwrite",
                () -> RunFolder.begin(link, false, false));
        try (RunFolder run = RunFolder.begin(link, false, true)) {
            Files.writeString(run.file("manifest.json"), "new");
            run.commit();
        }
        assertTrue(Files.isSymbolicLink(link));
        assertEquals("new", Files.readString(link.resolve("manifest.json")));
        assertEquals(List.of("first"), members(folder.resolve("runs")));
        assertEquals(List.of("link", "runs"), members(folder));
    }

    @Test
    void linkToNothingIsRefused() throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("absent"));
        for (boolean flag : new boolean[] {false, true}) {
            rejects(link + ": is a broken link (no such file or folder); remove it, or choose another --out",
                    () -> RunFolder.begin(link, flag, flag));
        }
        assertEquals(List.of("link"), members(folder));
    }

    @Test
    void doesNotOverwriteAForeignFolder() throws IOException {
        Files.createDirectories(out);
        Files.writeString(out.resolve("thesis.tex"), "years");
        String rule = ": exists and is not a run folder (it has no manifest.json); not overwritten";
        rejects(out + rule, () -> RunFolder.begin(out, false, true));
        Path file = Files.writeString(folder.resolve("thesis.tex"), "years");
        rejects(file + rule, () -> RunFolder.begin(file, true, true));
        assertEquals("years", Files.readString(file));
    }

    @Test
    void doesNotTouchAForeignPartialFolder() throws IOException {
        Files.createDirectories(partial);
        Files.writeString(partial.resolve("thesis.tex"), "years");
        for (boolean flag : new boolean[] {false, true}) {
            rejects(partial + ": exists and is not an interrupted run; move it away",
                    () -> RunFolder.begin(out, flag, flag));
        }
        assertEquals(List.of("thesis.tex"), members(partial));
    }

    @Test
    void keepsResultsThatAppearDuringTheRun() throws IOException {
        try (RunFolder run = RunFolder.begin(out, false, false)) {
            Files.writeString(run.file("manifest.json"), "mine");
            Files.createDirectory(out);
            rejects(out + ": already exists; choose another --out, or use --overwrite", run::commit);
            Files.delete(out);
            run.commit();
        }
        assertEquals("mine", Files.readString(out.resolve("manifest.json")));
    }

    @Test
    void discardDeletesTheFolder() throws IOException {
        try (RunFolder run = RunFolder.begin(out, false, false)) {
            Files.writeString(run.file("a/b/c"), "x");
            run.discard();
            assertThrows(IllegalStateException.class, run::commit);
            assertThrows(IllegalStateException.class, () -> run.file("a"));
        }
        assertEquals(List.of(), members(folder.resolve("runs")));
    }

    @Test
    void commitRequiresAManifest() {
        try (RunFolder run = RunFolder.begin(out, false, false)) {
            Rejections.assertRejected(IllegalStateException.class, partial + ": no manifest.json was written",
                    run::commit);
        }
    }

    @Test
    void rejectsFilesOutsideTheFolder() {
        try (RunFolder run = RunFolder.begin(out, false, false)) {
            for (String name : List.of("../x", "/etc/x", "", ".", "a/../..")) {
                Rejections.assertRejected(IllegalArgumentException.class,
                        name + " is not inside the run folder", () -> run.file(name));
            }
        }
    }

    @Test
    void rejectsImpossibleFolders() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        rejects(file + ": not a folder", () -> RunFolder.begin(file.resolve("run"), false, false));
        rejects(file.resolve("sub") + ": not a directory",
                () -> RunFolder.begin(file.resolve("sub/run"), false, false));
        Path name = folder.resolve("n".repeat(250));
        rejects(name + ".partial: file name too long", () -> RunFolder.begin(name, false, false));
        Path taken = Files.writeString(folder.resolve("run.partial"), "");
        rejects(taken + ": not a folder", () -> RunFolder.begin(folder.resolve("run"), true, false));
        rejects("/: cannot be a run folder", () -> RunFolder.begin(Path.of("/"), false, false));
    }

    private void interrupt() throws IOException {
        try (RunFolder run = RunFolder.begin(out, false, false)) {
            Files.writeString(run.file("heads.csv"), "half");
            Files.writeString(run.progress("done.txt"), "3");
        }
    }

    /** A run with results that are ready to be published, as a kill leaves it. */
    private void interruptBeforeCommit() throws IOException {
        try (RunFolder run = RunFolder.begin(out, false, true)) {
            Files.writeString(run.file("manifest.json"), "new");
            Files.writeString(run.file("heads.csv"), "new");
            Files.writeString(run.progress("done.txt"), "3");
        }
    }

    /** The first step of a commit. */
    private void mark() throws IOException {
        Files.copy(partial.resolve("results/manifest.json"), partial.resolve(".headscope-commit"));
    }

    /** The next run, which may not overwrite, leaves nothing but the new results. */
    private void assertPublished(String notice) throws IOException {
        rejects(out + ": already exists; choose another --out, or use --overwrite; " + out + notice,
                () -> RunFolder.begin(out, true, false));
        assertEquals("new", Files.readString(out.resolve("manifest.json")));
        assertEquals(List.of("heads.csv", "manifest.json"), files(out));
        assertEquals(List.of("first"), members(folder.resolve("runs")));
    }

    private void commit(String manifest) throws IOException {
        try (RunFolder run = RunFolder.begin(out, false, false)) {
            Files.writeString(run.file("manifest.json"), manifest);
            run.commit();
        }
    }

    private static void rejects(String message, Executable action) {
        Rejections.assertRejected(RunFolderException.class, message, action);
    }

    private static List<String> files(Path root) throws IOException {
        try (Stream<Path> paths = Files.walk(root)) {
            return paths.filter(path -> !path.equals(root))
                    .map(path -> root.relativize(path).toString()).sorted().toList();
        }
    }

    private static List<String> members(Path root) throws IOException {
        try (Stream<Path> paths = Files.list(root)) {
            return paths.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }
}
