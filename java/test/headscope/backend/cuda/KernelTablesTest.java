package headscope.backend.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The tables of cuda/README.md are generated from the kernel files: {@code ./headscope verify
 * -Dtest=KernelTablesTest -Dheadscope.update=true} writes them.
 */
class KernelTablesTest {
    private static final Path README = Path.of("cuda/README.md");

    private final List<KernelSource> sources = KernelSource.all(README.getParent());

    /** Text in a table's cell. */
    private static String cell(String text) {
        return text.replaceAll("([|<>*])", "\\\\$1");
    }

    private static String code(String text) {
        return text.isEmpty() ? "" : "`%s`".formatted(text.replace("|", "\\|"));
    }

    private static String table(String head, Stream<String> rows) {
        return "%s\n%s\n%s\n".formatted(
                head, head.replaceAll("[^|]+", "---"), rows.collect(Collectors.joining("\n")));
    }

    private String families() {
        return table("| file | computes | launch | cost |", sources.stream().map(source ->
                "| %s | %s | %s | %s |".formatted(
                        code(source.file()), cell(source.summary()), cell(source.field("Launch")),
                        cell(source.field("Cost")))));
    }

    private String kernels() {
        return table("| kernel | parameters |", sources.stream().flatMap(source -> source.kernels().stream()
                .map(kernel -> "| %s | %s |".formatted(code(kernel.name()), code(kernel.parameters())))));
    }

    private String constants() {
        return table("| file | exported constants |", sources.stream().map(source ->
                "| %s | %s |".formatted(code(source.file()),
                        source.constants().stream().map(KernelTablesTest::code).collect(Collectors.joining(" ")))));
    }

    private static String replaced(String readme, String name, String table) {
        String begin = "<!-- %s: generated -->\n".formatted(name);
        String end = "<!-- end of %s -->\n".formatted(name);
        int from = readme.indexOf(begin) + begin.length();
        int to = readme.indexOf(end);
        assertFalse(from < begin.length() || to < from, "%s lacks the markers of %s".formatted(README, name));
        return readme.substring(0, from) + table + readme.substring(to);
    }

    @Test
    void tablesMatchTheSources() throws IOException {
        String readme = Files.readString(README);
        String generated = readme;
        generated = replaced(generated, "families", families());
        generated = replaced(generated, "kernels", kernels());
        generated = replaced(generated, "constants", constants());
        if (Boolean.getBoolean("headscope.update")) {
            Files.writeString(README, generated);
            return;
        }
        assertEquals(generated, readme, "run ./headscope verify -Dtest=KernelTablesTest -Dheadscope.update=true");
    }

    @Test
    void everyKernelIsInTheTables() {
        Set<String> compiled = compiled();
        Set<String> named = new TreeSet<>();
        for (KernelSource source : sources) {
            for (KernelSource.Kernel kernel : source.kernels()) {
                String pattern = kernel.name().replace("<width>", "\\d+");
                List<String> matches = compiled.stream().filter(name -> name.matches(pattern)).toList();
                assertFalse(matches.isEmpty(), kernel.name());
                named.addAll(matches);
            }
        }
        assertEquals(compiled, named);
    }

    @Test
    void everyFileHasACompleteContract() {
        for (KernelSource source : sources) {
            assertFalse(source.summary().isBlank(), source.file());
            for (String field : List.of("In", "Out", "Launch", "Cost", "Rounds", "See")) {
                assertFalse(source.field(field).isEmpty(), "%s: %s".formatted(source.file(), field));
            }
            assertFalse(source.kernels().isEmpty() || source.constants().isEmpty(), source.file());
        }
    }

    @SuppressWarnings("restricted")
    private static Set<String> compiled() {
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup emulator = SymbolLookup.libraryLookup(
                    Path.of("target/cuda/libheadscope_emulator.so").toAbsolutePath(), arena);
            MemorySegment names = (MemorySegment) Linker.nativeLinker()
                    .downcallHandle(emulator.findOrThrow("headscope_kernels"), FunctionDescriptor.of(
                            ADDRESS.withTargetLayout(MemoryLayout.sequenceLayout(1 << 16, JAVA_BYTE))))
                    .invokeExact();
            return names.getString(0).lines().collect(Collectors.toCollection(TreeSet::new));
        } catch (Throwable failed) {
            throw new AssertionError(failed);
        }
    }
}
