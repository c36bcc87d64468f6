package headscope.cli;

import headscope.analysis.HeadRanking;
import headscope.analysis.InputException;
import headscope.analysis.RunRequest;
import headscope.analysis.gates.GateTask;
import headscope.analysis.gates.GatesRequest;
import headscope.analysis.gates.GatesRequest.Regulariser;
import headscope.analysis.gates.GatesRequest.Schedule;
import headscope.result.GateScore;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of {@code gates}. */
final class GatesOptions {
    @Option(names = "--task", paramLabel = "NAME=FILE",
            description = "Task and its texts, JSON lines, a JSON array or CSV of {\"prompt\", \"answer\"}; may be repeated.")
    List<String> tasks = List.of();

    @Option(names = "--forget", paramLabel = "FILE",
            description = "Texts of a contrast whose answers become improbable: at most 5 nats less probable than those on"
                    + " the same lines of --retain. A contrast is fitted once.")
    Optional<String> forget;

    @Option(names = "--retain", paramLabel = "FILE", description = "Texts of a contrast whose answers stay probable.")
    Optional<String> retain;

    @Mixin
    JoinOption join = new JoinOption();

    @Option(names = "--seeds", paramLabel = "N",
            description = "Masks fitted per task, each from its own initial gates and batches, at most "
                    + GatesRequest.MAX_SEEDS + " (default: " + GatesRequest.SEEDS + ").")
    Optional<Integer> seeds;

    @Option(names = "--updates", paramLabel = "N,N,N",
            description = "Updates per phase: free, open, shut, at most " + GatesRequest.MAX_UPDATES + " each (default: "
                    + GatesRequest.UPDATES + ").")
    Optional<String> updates;

    @Option(names = "--rates", paramLabel = "FROM-TO,...",
            description = "Adam's learning rate per phase, decaying linearly (default: ${DEFAULT-VALUE}, as in the"
                    + " paper; the authors' code uses 1-1,1-1,1-1).")
    String rates = GatesRequest.RATES;

    @Option(names = "--batch", paramLabel = "N",
            description = "Texts per update and mask (default: " + GatesRequest.BATCH
                    + ", as in the paper; the authors' code uses 32).")
    Optional<Integer> batch;

    @Option(names = "--lambda", paramLabel = "X",
            description = "Weight of the regulariser (default: ${DEFAULT-VALUE}). With --forget, a positive weight"
                    + " pushes gates open, a negative one shut.")
    double lambda = GatesRequest.LAMBDA;

    @Option(names = "--regulariser", paramLabel = "mean|sum",
            description = "Regularise the mean over all gates, as the authors' code does, or the sum, as in their"
                    + " equation (default: ${DEFAULT-VALUE}).")
    Regulariser regulariser = Regulariser.MEAN;

    @Option(names = "--clip-norm", showDefaultValue = Visibility.NEVER, paramLabel = "X",
            description = "Clip the norm of each mask's gradient (default: no clipping; the authors' code uses 1).")
    double clipNorm = Double.POSITIVE_INFINITY;

    @Option(names = "--score", paramLabel = "facilitation|interference|irrelevance",
            description = "Score to draw (default: ${DEFAULT-VALUE}); heads.csv contains all three.")
    GateScore score = GatesRequest.SCORE;

    @Option(names = "--check-texts", paramLabel = "N",
            description = "Texts per task for the check, from the start of its file (default: "
                    + GatesRequest.CHECK_TEXTS + ").")
    Optional<Integer> checkTexts;

    @Option(names = "--seed", paramLabel = "N",
            description = "Seed for initial gates, batches and random orders (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(names = "--limit", showDefaultValue = Visibility.NEVER, paramLabel = "N",
            description = "Read only the first N texts of each file (default: all).")
    Optional<Integer> limit = Optional.empty();

    @Option(names = "--quick",
            description = "Quick approximate run, a minute or two on a small model: changes the defaults to --seeds "
                    + GatesRequest.QUICK_SEEDS + ", --updates " + GatesRequest.QUICK_UPDATES + ", --batch "
                    + GatesRequest.QUICK_BATCH + " and --check-texts " + GatesRequest.QUICK_CHECK_TEXTS + ".")
    boolean quick;

    @Option(names = {"--top", "--top-heads"}, paramLabel = "N",
            description = "Print the N heads of each task whose smallest score over the seeds is largest; 0 prints none"
                    + " (default: ${DEFAULT-VALUE}).")
    int top = HeadRanking.TOP;

    GatesRequest request(RunRequest run) {
        HeadRanking.requireCount("--top", top);
        List<GateTask> all = tasks();
        GatesRequest defaults = quick ? GatesRequest.quick(run, all) : GatesRequest.of(run, all);
        return new GatesRequest(
                run, all, join.join, seeds.orElse(defaults.seeds()),
                Schedule.parseList(
                        updates.orElse(quick ? GatesRequest.QUICK_UPDATES : GatesRequest.UPDATES), rates),
                batch.orElse(defaults.batch()), lambda, regulariser, clipNorm,
                tasks.isEmpty() ? defaults.score() : score,
                new GatesRequest.Check(checkTexts.orElse(defaults.check().texts()), defaults.check().steps()),
                seed, RunOptions.limit(limit), quick);
    }

    private List<GateTask> tasks() {
        if (forget.isPresent() != retain.isPresent()) {
            throw new InputException("--forget and --retain must be given together");
        }
        List<GateTask> all = new ArrayList<>(tasks.stream().map(GateTask::parse).toList());
        retain.ifPresent(texts -> all.add(new GateTask("Contrast", texts, forget)));
        return all;
    }
}
