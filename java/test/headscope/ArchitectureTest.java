package headscope;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.conditions.ArchPredicates.are;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Which package may use which, and how large packages and files may be. docs/architecture.md shows the same table of
 * imports.
 */
@AnalyzeClasses(packages = "headscope", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
    private static final Set<String> PACKAGES = Set.of(
            "tensor", "metric", "jinja", "backend", "model", "selftest", "timing", "analysis", "result", "figure", "picture",
            "render", "live", "cli");

    /**
     * Limit for the .java files of one folder. A reader must be able to take in the names of a package at a glance; they
     * fit on one screen.
     */
    private static final int MAX_FILES = 45;

    /** Limit for the lines of a source file. A longer file holds more than one idea and is not read as a whole. */
    private static final int MAX_LINES = 450;

    private static final List<String> SOURCE_FOLDERS = List.of("java", "benchmarks", "bundle", "cuda");

    /** A package may use only itself and the listed packages. */
    private static ArchRule uses(String name, String... others) {
        Set<String> allowed = new TreeSet<>(Arrays.asList(others));
        allowed.add(name);
        String[] forbidden = PACKAGES.stream()
                .filter(other -> !allowed.contains(other))
                .map(other -> "headscope." + other + "..")
                .toArray(String[]::new);
        return noClasses().that().resideInAPackage("headscope." + name + "..")
                .should().dependOnClassesThat().resideInAnyPackage(forbidden)
                .orShould().dependOnClassesThat().haveFullyQualifiedName("headscope.Main");
    }

    @ArchTest
    static final ArchRule TENSOR = uses("tensor");

    @ArchTest
    static final ArchRule METRIC = uses("metric");

    @ArchTest
    static final ArchRule JINJA = uses("jinja");

    @ArchTest
    static final ArchRule RESULT = uses("result", "tensor");

    @ArchTest
    static final ArchRule BACKEND = uses("backend", "tensor", "metric");

    @ArchTest
    static final ArchRule MODEL = uses("model", "backend", "tensor", "jinja");

    @ArchTest
    static final ArchRule MODEL_USES_NO_TEXT = noClasses().that().resideInAPackage("headscope.model")
            .should().dependOnClassesThat().resideInAnyPackage("headscope.model.text", "headscope.jinja..");

    @ArchTest
    static final ArchRule SELFTEST = uses("selftest", "backend", "tensor", "metric");

    @ArchTest
    static final ArchRule TIMING = uses("timing", "selftest", "model", "backend", "tensor", "metric");

    @ArchTest
    static final ArchRule ANALYSIS = uses("analysis", "model", "backend", "tensor", "metric", "result");

    /** What the analyses share is in {@code analysis}, {@code analysis.answers} and {@code analysis.statistics}. */
    @ArchTest
    static final ArchRule ANALYSES_ARE_INDEPENDENT = slices().matching("headscope.analysis.(*)..")
            .should().notDependOnEachOther()
            .ignoreDependency(DescribedPredicate.alwaysTrue(),
                    resideInAnyPackage("headscope.analysis.statistics", "headscope.analysis.answers"));

    @ArchTest
    static final ArchRule SHARED_ANALYSIS_CODE_USES_NO_ANALYSIS = noClasses().that().resideInAPackage("headscope.analysis")
            .should().dependOnClassesThat().resideInAPackage("headscope.analysis.*..");

    @ArchTest
    static final ArchRule STATISTICS_USES_NO_ANALYSIS = noClasses()
            .that().resideInAPackage("headscope.analysis.statistics")
            .should().dependOnClassesThat(resideInAPackage("headscope.analysis..")
                    .and(DescribedPredicate.not(resideInAPackage("headscope.analysis.statistics"))));

    @ArchTest
    static final ArchRule FIGURE = uses("figure", "result", "tensor");

    @ArchTest
    static final ArchRule PICTURE = uses("picture", "figure", "result");

    @ArchTest
    static final ArchRule RENDER = uses("render", "figure", "tensor");

    @ArchTest
    static final ArchRule LIVE = uses("live", "picture", "figure", "render", "result", "tensor");

    @ArchTest
    static final ArchRule EVERY_PACKAGE_IS_LISTED = classes().should().resideInAnyPackage(Stream.concat(
            Stream.of("headscope"), PACKAGES.stream().map(name -> "headscope." + name + "..")).toArray(String[]::new));

    @ArchTest
    static final ArchRule ONLY_RENDER_USES_OPENGL = only("headscope.render..", "org.lwjgl..");

    @ArchTest
    static final ArchRule ONLY_THE_CPU_BACKEND_USES_OPENBLAS = only("headscope.backend.cpu", "org.bytedeco..");

    @ArchTest
    static final ArchRule ONLY_THE_CUDA_BACKEND_USES_JCUDA = only("headscope.backend.cuda", "jcuda..");

    @ArchTest
    static final ArchRule ONLY_THE_PAGE_SERVER_USES_JETTY = only("headscope.live.serve", "org.eclipse.jetty..");

    private static ArchRule only(String user, String used) {
        return noClasses().that().resideOutsideOfPackage(user)
                .should().dependOnClassesThat().resideInAPackage(used);
    }

    @ArchTest
    static final ArchRule ONLY_BACKEND_USES_THE_CPU_BACKEND = onlyBackendUses("headscope.backend.cpu");

    @ArchTest
    static final ArchRule ONLY_BACKEND_USES_THE_CUDA_BACKEND = onlyBackendUses("headscope.backend.cuda");

    /** This also keeps the two backends apart. */
    private static ArchRule onlyBackendUses(String device) {
        return noClasses()
                .that().doNotHaveFullyQualifiedName("headscope.backend.Backend")
                .and().resideOutsideOfPackage(device)
                .should().dependOnClassesThat(are(resideInAnyPackage(device)));
    }

    @ArchTest
    static final ArchRule STATIC_FIELDS_ARE_FINAL = fields().that().areStatic().should().beFinal();

    /** Enums and sealed classes are exempt, and anonymous classes, which cannot be extended. */
    @ArchTest
    static final ArchRule CLASSES_ARE_FINAL = classes()
            .that().areNotInterfaces().and().areNotAnonymousClasses()
            .and(DescribedPredicate.describe("are neither enums nor sealed",
                    type -> !type.isEnum() && !type.reflect().isSealed()))
            .should().haveModifier(JavaModifier.FINAL);

    /** Main and test sources of a package count separately. */
    @Test
    void noPackageHasTooManyFiles() throws IOException {
        Map<Path, Long> files = sources().stream()
                .filter(file -> file.toString().endsWith(".java"))
                .collect(Collectors.groupingBy(Path::getParent, TreeMap::new, Collectors.counting()));
        assertEquals(List.of(), files.entrySet().stream()
                .filter(folder -> folder.getValue() > MAX_FILES)
                .map(folder -> "%s: %d files, the limit is %d".formatted(folder.getKey(), folder.getValue(), MAX_FILES))
                .toList());
    }

    @Test
    void noFileHasTooManyLines() throws IOException {
        List<String> offenders = new ArrayList<>();
        for (Path file : sources()) {
            int lines = Files.readAllLines(file).size();
            if (lines > MAX_LINES) {
                offenders.add("%s: %d lines, the limit is %d".formatted(file, lines, MAX_LINES));
            }
        }
        assertEquals(List.of(), offenders);
    }

    private static List<Path> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        for (String folder : SOURCE_FOLDERS) {
            try (Stream<Path> files = Files.walk(Path.of(folder))) {
                files.filter(file -> file.toString().matches(".*\\.(java|cu|cuh|cpp|h)")).sorted().forEach(sources::add);
            }
        }
        return sources;
    }
}
