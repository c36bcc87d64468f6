package headscope.cli;

import headscope.analysis.InputException;
import headscope.backend.Backend;
import headscope.backend.Precision;
import headscope.cli.terminal.ProgressLine;
import headscope.selftest.Selection;
import headscope.selftest.SelfTest;
import headscope.tensor.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Compares a device with the CPU backend. */
@Command(
        name = "selftest",
        mixinStandardHelpOptions = true,
        description = {
            "Compares every operation on a device with the CPU.",
            "The reference is the CPU backend with one thread. The exit status is 1 if any result disagrees."
        },
        footer = {
            "", "Examples:",
            "  ./headscope selftest",
            "  ./headscope selftest --device cuda --report .",
            "  ./headscope selftest --device cuda --only attention,symmetric \\",
            "      --max-tokens 65"
        })
final class SelfTestCommand implements Callable<Integer> {
    @Mixin
    DeviceOptions device;

    @Option(names = "--only", paramLabel = "LIST", split = ",",
            description = "Run only operations whose names, as printed in the table, start with one of these.")
    List<String> only = List.of();

    @Option(names = "--max-tokens", paramLabel = "N", description = "Run only cases of at most N tokens.")
    int maxTokens = Integer.MAX_VALUE;

    @Option(names = "--report", paramLabel = "DIR", description = "Also write the table to selftest.md in this folder.")
    Optional<Path> report;

    @Override
    public Integer call() throws IOException {
        Selection selection = InputException.rejecting(() -> new Selection(only, maxTokens));
        if (report.isPresent()) {
            Files.createDirectories(report.get());
        }
        try (Backend tested = device.open(); Backend cpu = Backend.open("cpu:1")) {
            return run(tested, tested.precision(), cpu, selection, report);
        }
    }

    /** @return the exit status */
    static int run(Backend tested, Precision precision, Backend cpu, Selection selection, Optional<Path> report)
            throws IOException {
        List<SelfTest.Outcome> outcomes = new ArrayList<>();
        try (ProgressLine progress = new ProgressLine("comparing", "cases")) {
            int count = SelfTest.count(precision, selection);
            SelfTest.run(tested, precision, cpu, selection, outcome -> {
                outcomes.add(outcome);
                progress.reached(outcomes.size(), count);
            });
        }
        String table = table(tested.describe(), outcomes);
        System.out.print(table);
        if (report.isPresent()) {
            AtomicFile.write(report.get().resolve("selftest.md"), table);
        }
        return outcomes.stream().allMatch(SelfTest.Outcome::agrees) ? 0 : 1;
    }

    /** Markdown: one row per operation, then every case that disagrees. */
    private static String table(String device, List<SelfTest.Outcome> outcomes) {
        Map<String, List<SelfTest.Outcome>> operations = new LinkedHashMap<>();
        outcomes.forEach(outcome -> operations.computeIfAbsent(outcome.operation(), key -> new ArrayList<>()).add(outcome));
        StringBuilder table = new StringBuilder("%s%n%n| %-30s | cases | error/bound | |%n|%s|---|---|---|%n"
                .formatted(device, "operation", "-".repeat(32)));
        operations.forEach((operation, cases) -> table.append("| %-30s | %5d | %11s | %s |%n".formatted(
                operation, cases.size(), worst(cases),
                cases.stream().allMatch(SelfTest.Outcome::agrees) ? "agrees" : "DISAGREES")));
        List<SelfTest.Outcome> disagreeing = outcomes.stream().filter(outcome -> !outcome.agrees()).toList();
        table.append("%n%d of %d cases agree.%n".formatted(outcomes.size() - disagreeing.size(), outcomes.size()));
        disagreeing.forEach(outcome -> table.append("- %s, %s: error %.2g exceeds the rounding bound %.2g %s%n".formatted(
                outcome.operation(), outcome.sizes(), outcome.error(), outcome.bound(), outcome.fault())));
        return table.toString();
    }

    /** The largest error as a fraction of the rounding bound. */
    private static String worst(List<SelfTest.Outcome> cases) {
        double worst = cases.stream()
                .mapToDouble(outcome -> outcome.error() == 0 ? 0 : outcome.error() / outcome.bound()).max().orElse(0);
        return worst == 0 ? "bit-equal" : "%.3f".formatted(worst);
    }
}
