package headscope;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.conditions.ArchPredicates.are;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Which package may import which: imports run one way. */
@AnalyzeClasses(packages = "headscope", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
    private static final Set<String> PACKAGES = Set.of(
            "tensor", "metric", "backend", "model", "selftest", "timing", "analysis", "result", "figure", "picture", "render",
            "cli");

    /** Among Headscope's packages, this one uses only itself and those listed. */
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
    static final ArchRule RESULT = uses("result", "tensor");

    @ArchTest
    static final ArchRule BACKEND = uses("backend", "tensor", "metric");

    @ArchTest
    static final ArchRule MODEL = uses("model", "backend", "tensor");

    @ArchTest
    static final ArchRule SELFTEST = uses("selftest", "backend", "tensor", "metric");

    @ArchTest
    static final ArchRule TIMING = uses("timing", "selftest", "model", "backend", "tensor", "metric");

    @ArchTest
    static final ArchRule ANALYSIS = uses("analysis", "model", "backend", "tensor", "metric", "result");

    /** The four analyses do not use each other; shared code is in the root and in {@code statistics}. */
    @ArchTest
    static final ArchRule ANALYSES_ARE_INDEPENDENT = slices().matching("headscope.analysis.(spectra|saliency|functions|gates)..")
            .should().notDependOnEachOther();

    @ArchTest
    static final ArchRule THE_ROOT_OF_ANALYSIS_KNOWS_NO_ANALYSIS = noClasses().that().resideInAPackage("headscope.analysis")
            .should().dependOnClassesThat().resideInAPackage("headscope.analysis.*..");

    @ArchTest
    static final ArchRule STATISTICS_KNOWS_NO_ANALYSIS = noClasses()
            .that().resideInAPackage("headscope.analysis.statistics")
            .should().dependOnClassesThat().resideInAnyPackage(
                    "headscope.analysis", "headscope.analysis.spectra", "headscope.analysis.saliency",
                    "headscope.analysis.functions", "headscope.analysis.gates");

    @ArchTest
    static final ArchRule FIGURE = uses("figure", "result");

    @ArchTest
    static final ArchRule PICTURE = uses("picture", "figure", "result");

    @ArchTest
    static final ArchRule RENDER = uses("render", "figure");

    /** A new package needs its arrows here. */
    @ArchTest
    static final ArchRule EVERY_PACKAGE_HAS_ITS_ARROWS = classes().should().resideInAnyPackage(Stream.concat(
            Stream.of("headscope"), PACKAGES.stream().map(name -> "headscope." + name + "..")).toArray(String[]::new));

    @ArchTest
    static final ArchRule ONLY_THE_RENDERER_KNOWS_OPENGL = only("headscope.render", "org.lwjgl..");

    @ArchTest
    static final ArchRule ONLY_THE_CPU_BACKEND_KNOWS_OPENBLAS = only("headscope.backend.cpu", "org.bytedeco..");

    @ArchTest
    static final ArchRule ONLY_THE_CUDA_BACKEND_KNOWS_JCUDA = only("headscope.backend.cuda", "jcuda..");

    private static ArchRule only(String ours, String theirs) {
        return noClasses().that().resideOutsideOfPackage(ours)
                .should().dependOnClassesThat().resideInAPackage(theirs);
    }

    @ArchTest
    static final ArchRule ONLY_BACKEND_NAMES_THE_CPU = onlyBackendNames("headscope.backend.cpu");

    @ArchTest
    static final ArchRule ONLY_BACKEND_NAMES_CUDA = onlyBackendNames("headscope.backend.cuda");

    /** Only {@code Backend} uses the packages of devices, so those do not use each other either. */
    private static ArchRule onlyBackendNames(String device) {
        return noClasses()
                .that().doNotHaveFullyQualifiedName("headscope.backend.Backend")
                .and().resideOutsideOfPackage(device)
                .should().dependOnClassesThat(are(resideInAnyPackage(device)));
    }

    @ArchTest
    static final ArchRule NOTHING_STATIC_CHANGES = fields().that().areStatic().should().beFinal();

    /** Or enums, or sealed. Anonymous classes cannot be extended anyway. */
    @ArchTest
    static final ArchRule CLASSES_ARE_FINAL = classes()
            .that().areNotInterfaces().and().areNotAnonymousClasses()
            .and(DescribedPredicate.describe("are neither enums nor sealed",
                    type -> !type.isEnum() && !type.reflect().isSealed()))
            .should().haveModifier(JavaModifier.FINAL);
}
