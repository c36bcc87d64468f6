package headscope.analysis.comparison;

import headscope.analysis.InputException;
import headscope.analysis.statistics.BenjaminiHochberg;
import headscope.analysis.statistics.WilcoxonSignedRank;
import headscope.result.ComparisonTable;
import headscope.result.Manifest;
import headscope.tensor.Printable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Two runs of the same analysis, head by head.
 *
 * @param untested why there is no test; empty if there is one
 * @param pairs    number of texts that both runs have; 0 without a test
 */
public record Comparison(
        Manifest first, Manifest second, int layers, int heads, ComparisonTable table, int pairs, String untested) {
    /**
     * Reads and compares two runs.
     *
     * @param names of the measures to compare; empty: those that the figures of the runs show
     * @throws InputException if the runs cannot be compared
     */
    public static Comparison of(Path first, Path second, List<String> names) {
        ComparedRun one = ComparedRun.read(first);
        ComparedRun other = ComparedRun.read(second);
        requireSame("analysis", first, one.manifest().analysis(), second, other.manifest().analysis());
        requireSame("shape", first, one.shape(), second, other.shape());
        List<String> chosen = measures(one, other, names);
        chosen.forEach(name -> requireSameDefinition(name, one, other));
        ComparedTexts.Pairs pairs = one.texts().pairs(other.texts());
        List<ComparisonTable.Measure> measures = chosen.stream()
                .map(name -> compare(name, one.measures().get(name), other.measures().get(name), pairs))
                .toList();
        return new Comparison(one.manifest(), other.manifest(), one.layers(), one.heads(),
                new ComparisonTable(one.heads(), measures), pairs.first().size(), pairs.reason());
    }

    private static void requireSame(String what, Path first, String one, Path second, String other) {
        if (!one.equals(other)) {
            throw new InputException("two runs of the same %s can be compared, but %s is %s and %s is %s"
                    .formatted(what, first, one, second, other));
        }
    }

    private static void requireSameDefinition(String name, ComparedRun one, ComparedRun other) {
        String first = one.measures().get(name).definition();
        String second = other.measures().get(name).definition();
        if (!first.equals(second)) {
            throw new InputException("%s is %s in %s and %s in %s: analyse again with the same settings, or name another --measure"
                    .formatted(Printable.quote(name), first, one.folder(), second, other.folder()));
        }
    }

    private static List<String> measures(ComparedRun one, ComparedRun other, List<String> names) {
        if (names.isEmpty()) {
            if (!one.drawn().equals(other.drawn())) {
                throw new InputException("%s shows %s, but %s shows %s; choose a measure that both contain with --measure: %s".formatted(
                        one.folder(), listed(one.drawn()), other.folder(), listed(other.drawn()),
                        listed(one.measures().keySet().stream().filter(other.measures()::containsKey).toList())));
            }
            return List.copyOf(one.drawn());
        }
        for (String name : names) {
            for (ComparedRun run : List.of(one, other)) {
                if (!run.measures().containsKey(name)) {
                    throw new InputException("%s contains no %s; it contains %s".formatted(
                            run.folder(), Printable.quote(name), listed(run.measures().keySet())));
                }
            }
        }
        return names.stream().distinct().toList();
    }

    private static String listed(Iterable<String> names) {
        List<String> quoted = new ArrayList<>();
        names.forEach(name -> quoted.add(Printable.quote(name)));
        return quoted.isEmpty() ? "nothing" : quoted.stream().collect(Collectors.joining(", "));
    }

    private static ComparisonTable.Measure compare(
            String name, ComparedRun.Measure one, ComparedRun.Measure other, ComparedTexts.Pairs pairs) {
        int heads = one.mean().length;
        double[] p = new double[heads];
        Arrays.fill(p, Double.NaN);
        if (pairs.first().isEmpty()) {
            return measure(name, one.mean(), other.mean(), p);
        }
        List<float[]> first = pairs.first().stream().map(one.texts()::get).toList();
        List<float[]> second = pairs.second().stream().map(other.texts()::get).toList();
        for (int head = 0; head < heads; head++) {
            double[] differences = new double[first.size()];
            for (int i = 0; i < differences.length; i++) {
                differences[i] = (double) second.get(i)[head] - first.get(i)[head];
            }
            p[head] = WilcoxonSignedRank.p(differences);
        }
        return measure(name, ComparedRun.Measure.mean(first), ComparedRun.Measure.mean(second), p);
    }

    private static ComparisonTable.Measure measure(String name, double[] value1, double[] value2, double[] p) {
        double[] difference = new double[p.length];
        for (int head = 0; head < difference.length; head++) {
            difference[head] = value2[head] - value1[head];
        }
        return new ComparisonTable.Measure(name, value1, value2, difference, p, BenjaminiHochberg.qValues(p));
    }
}
