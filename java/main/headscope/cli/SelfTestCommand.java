package headscope.cli;

import headscope.backend.Backend;
import headscope.selftest.SelfTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Whether this very device computes what the CPU computes. */
@Command(
        name = "selftest",
        mixinStandardHelpOptions = true,
        description = "Runs every operation on this device and compares it with the CPU backend; on the CPU, many threads"
                + " with one. Exit status 1 where something disagrees.",
        footer = {"", "Examples:", "  ./headscope selftest", "  ./headscope selftest --device cuda --report ."})
final class SelfTestCommand implements Callable<Integer> {
    @Mixin
    DeviceOptions device;

    @Option(names = "--report", paramLabel = "DIR", description = "Also write selftest.md there.")
    Path report;

    @Override
    public Integer call() throws IOException {
        if (report != null) {
            Files.createDirectories(report);
        }
        List<SelfTest.Outcome> outcomes = new ArrayList<>();
        String name;
        try (Backend tested = device.open(); Backend cpu = Backend.open("cpu:1");
                ProgressLine progress = new ProgressLine("comparing", "cases")) {
            name = tested.describe();
            int count = SelfTest.count(tested);
            SelfTest.run(tested, cpu, outcome -> {
                outcomes.add(outcome);
                progress.reached(outcomes.size(), count);
            });
        }
        String table = table(name, outcomes);
        System.out.print(table);
        if (report != null) {
            Files.writeString(report.resolve("selftest.md"), table);
        }
        return outcomes.stream().allMatch(SelfTest.Outcome::agrees) ? 0 : 1;
    }

    /** A row per operation, then every case that disagrees. */
    private static String table(String device, List<SelfTest.Outcome> outcomes) {
        Map<String, List<SelfTest.Outcome>> operations = new LinkedHashMap<>();
        outcomes.forEach(outcome -> operations.computeIfAbsent(outcome.operation(), key -> new ArrayList<>()).add(outcome));
        StringBuilder table = new StringBuilder("%s%n%n| %-30s | cases | of the bound | |%n|%s|---|---|---|%n"
                .formatted(device, "operation", "-".repeat(32)));
        operations.forEach((operation, cases) -> table.append("| %-30s | %5d | %12s | %s |%n".formatted(
                operation, cases.size(), share(cases),
                cases.stream().allMatch(SelfTest.Outcome::agrees) ? "agrees" : "DISAGREES")));
        List<SelfTest.Outcome> wrong = outcomes.stream().filter(outcome -> !outcome.agrees()).toList();
        table.append("%n%d of %d cases agree.%n".formatted(outcomes.size() - wrong.size(), outcomes.size()));
        wrong.forEach(outcome -> table.append("- %s, %s: error %.2g, at most %.2g is rounding %s%n".formatted(
                outcome.operation(), outcome.sizes(), outcome.error(), outcome.bound(), outcome.fault())));
        return table.toString();
    }

    /** The worst error, as a share of what rounding explains. */
    private static String share(List<SelfTest.Outcome> cases) {
        double worst = cases.stream()
                .mapToDouble(outcome -> outcome.error() == 0 ? 0 : outcome.error() / outcome.bound()).max().orElse(0);
        return worst == 0 ? "equal bits" : "%.3f".formatted(worst);
    }
}
