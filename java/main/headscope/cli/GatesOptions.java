package headscope.cli;

import headscope.analysis.InputException;
import headscope.analysis.gates.GateTask;
import headscope.analysis.gates.GatesRequest;
import headscope.result.GateScore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What `gates` takes on the command line. */
final class GatesOptions {
    private static final String PUBLISHED_RATES = "0.1-0.01,0.5-0.1,0.5-0.1";

    @Mixin
    RunOptions run;

    @Option(names = "--task", paramLabel = "NAME=FILE",
            description = "A task and its texts: JSON lines, each {\"prompt\", \"answer\"}; may be repeated.")
    List<String> tasks = List.of();

    @Option(names = "--forget", paramLabel = "FILE",
            description = "With --retain, a contrast: one fit that makes these answers unlikely, no further than 5 nats"
                    + " below those of the same lines there.")
    String forget;

    @Option(names = "--retain", paramLabel = "FILE", description = "Answers that are to stay likely meanwhile.")
    String retain;

    @Option(names = "--seeds", paramLabel = "N",
            description = "Masks fitted to each task, each from another start and with other batches (default: 10).")
    Integer seeds;

    @Option(names = "--updates", paramLabel = "N,N,N",
            description = "Of the fit without pressure, pushed open, pushed shut (default: 500,500,500).")
    String updates;

    @Option(names = "--rates", defaultValue = PUBLISHED_RATES, paramLabel = "FROM-TO,...",
            description = "Adam's rate in the three fits, falling in a line (default: ${DEFAULT-VALUE}, the paper's; the"
                    + " authors' code has 1-1,1-1,1-1).")
    String rates;

    @Option(names = "--batch", paramLabel = "N",
            description = "Texts of an update and mask (default: 64, the paper's; the authors' code has 32).")
    Integer batch;

    @Option(names = "--lambda", defaultValue = "0.1", paramLabel = "X",
            description = "How hard gates are pushed (default: ${DEFAULT-VALUE}); with --forget its sign says where: above 0"
                    + " open, below 0 shut.")
    double lambda;

    @Option(names = "--regulariser", defaultValue = "mean", paramLabel = "mean|sum",
            description = "The push, over the heads: their mean, as the authors' code, or sum, as their equation"
                    + " (default: ${DEFAULT-VALUE}).")
    GatesRequest.Regulariser regulariser;

    @Option(names = "--clip-norm", paramLabel = "X",
            description = "Shorten a mask's gradient to this norm (default: not; the authors' code has 1).")
    Double clipNorm;

    enum Shown {
        FACILITATION,
        INTERFERENCE,
        IRRELEVANCE
    }

    @Option(names = "--score", defaultValue = "facilitation", paramLabel = "facilitation|interference|irrelevance",
            description = "What the picture shows (default: ${DEFAULT-VALUE}); all three are in heads.csv.")
    Shown score;

    @Option(names = "--check-texts", paramLabel = "N",
            description = "Texts of a task for the check, from the top (default: 64).")
    Integer checkTexts;

    @Option(names = "--pass-tokens", defaultValue = "4096", paramLabel = "N",
            description = "Tokens that go through the model together, whatever their masks; memory grows with them, and"
                    + " the last digits may change (default: ${DEFAULT-VALUE}).")
    int passTokens;

    @Option(names = "--seed", defaultValue = "0", paramLabel = "N",
            description = "Of all starts, batches and random orders (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(names = "--limit", defaultValue = "0", showDefaultValue = picocli.CommandLine.Help.Visibility.NEVER,
            paramLabel = "N", description = "Only the first N texts of each file (default: all).")
    int limit;

    @Option(names = "--quick", description = "A sketch in a minute or two on a small model: where they are not given, --seeds 4,"
            + " --updates 40,40,40, --batch 8, --check-texts 12.")
    boolean quick;

    /** @param command as it was typed */
    GatesRequest request(List<String> command) {
        return new GatesRequest(
                run.request("gates", command), tasks(), or(seeds, 4, 10), schedules(), or(batch, 8, 64), lambda,
                regulariser, clipNorm == null ? Double.POSITIVE_INFINITY : clipNorm, score(),
                new GatesRequest.Check(or(checkTexts, 12, 64), quick ? 12 : 24), passTokens, seed, limit, quick);
    }

    private GateScore score() {
        return tasks.isEmpty() ? GateScore.CONTRAST : GateScore.valueOf(score.name());
    }

    private int or(Integer given, int sketch, int published) {
        return given != null ? given : quick ? sketch : published;
    }

    private List<GateTask> tasks() {
        List<GateTask> all = new ArrayList<>(tasks.stream().map(GateTask::parse).toList());
        if (forget == null != (retain == null)) {
            throw new InputException("--forget and --retain go together: give both");
        }
        if (forget != null) {
            all.add(new GateTask("Contrast", retain, Optional.of(forget)));
        }
        return all;
    }

    private List<GatesRequest.Schedule> schedules() {
        String[] counts = (updates != null ? updates : quick ? "40,40,40" : "500,500,500").split(",", -1);
        String[] spans = rates.split(",", -1);
        if (counts.length != spans.length) {
            throw new InputException("--updates has %d numbers and --rates %d; give three of each"
                    .formatted(counts.length, spans.length));
        }
        List<GatesRequest.Schedule> schedules = new ArrayList<>();
        for (int i = 0; i < counts.length; i++) {
            schedules.add(schedule(counts[i], spans[i]));
        }
        return schedules;
    }

    private static GatesRequest.Schedule schedule(String count, String span) {
        String[] ends = span.split("-", -1);
        try {
            if (ends.length == 2) {
                return new GatesRequest.Schedule(
                        Integer.parseInt(count), Double.parseDouble(ends[0]), Double.parseDouble(ends[1]));
            }
        } catch (NumberFormatException noNumber) {
            // Said below.
        }
        throw new InputException("--updates must be like 500,500,500 and --rates like %s, not \"%s\" and \"%s\""
                .formatted(PUBLISHED_RATES, count, span));
    }
}
