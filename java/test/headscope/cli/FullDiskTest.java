package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.result.SampleRuns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Figures on a file system of 8 KiB in a user namespace; without namespaces, with a limit on the size of files. */
class FullDiskTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"png", "svg"})
    void aFigureThatDoesNotFitLeavesNothing(String ending) throws IOException, InterruptedException {
        Path run = folder.resolve("run");
        SampleRuns.commit(run, SampleRuns.spectra(true)::write);
        Path mount = Files.createDirectory(folder.resolve("small"));
        Path file = mount.resolve("figure." + ending);
        String draw = "'%s' --enable-native-access=ALL-UNNAMED -Djava.library.path='%s' -cp '%s' headscope.Main render '%s' --out '%s'"
                .formatted(Path.of(System.getProperty("java.home"), "bin", "java"), System.getProperty("java.library.path"),
                        System.getProperty("java.class.path"), run, file);
        Process shell = new ProcessBuilder("bash", "-c", ("if unshare -rm mount -t tmpfs none '%1$s' 2>/dev/null; then"
                + " unshare -rm bash -c \"mount -t tmpfs -o size=8k none '%1$s'; %2$s; echo status \\$?; ls -A '%1$s'\";"
                + " else ulimit -f 8; %2$s; echo status $?; ls -A '%1$s'; fi").formatted(mount, draw.replace("$", "\\$")))
                .redirectErrorStream(true).start();
        List<String> printed = shell.inputReader().lines().filter(line -> line.startsWith("headscope: ") || line.startsWith("status ")
                || line.contains("figure")).toList();
        shell.waitFor();
        assertTrue(List.of("no space left on device", "file too large").stream()
                .map(reason -> "headscope: %s: cannot be written: %s".formatted(file, reason))
                .anyMatch(printed.getFirst()::equals), printed::toString);
        assertEquals(List.of("status 2"), printed.subList(1, printed.size()));
    }
}
