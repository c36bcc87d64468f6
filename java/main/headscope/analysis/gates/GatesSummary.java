package headscope.analysis.gates;

import headscope.result.GateScore;
import headscope.result.GatesResult;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * The findings of a gates run, for its summary.
 *
 * @param heads    number of heads in all layers
 * @param perLayer number of heads in a layer
 */
public record GatesSummary(int heads, int perLayer, int seeds, boolean quick, List<Task> tasks) {
    /**
     * The findings for one task.
     *
     * @param always share of heads that have a role in every seed, by score
     * @param any    share of heads that have it in at least one seed
     * @param either share of heads that facilitate or interfere, or in a contrast contrast, in at least one seed
     * @param answer log probability of answers; empty for a contrast
     * @param shown  the score that the figure shows
     * @param scores of each head
     */
    public record Task(
            String name, SequencedMap<GateScore, Double> always, SequencedMap<GateScore, Double> any, double either,
            Optional<Answer> answer, GateScore shown, GatesResult.Scores scores) {}

    /** Mean log probability of an answer token, nats: without gates and under G+. */
    public record Answer(double ungated, double underGates) {}

    static GatesSummary of(GatesRequest request, int heads, int perLayer, List<FittedTask> fitted) {
        List<Task> tasks = new ArrayList<>();
        for (FittedTask task : fitted) {
            SequencedMap<GateScore, Double> always = new LinkedHashMap<>();
            SequencedMap<GateScore, Double> any = new LinkedHashMap<>();
            for (GateScore score : GateScore.of(task.task().isContrast())) {
                always.put(score, share(task.always(score)));
                any.put(score, share(task.any(score)));
            }
            GateScore shown = task.task().isContrast() ? GateScore.CONTRAST : request.score();
            tasks.add(new Task(task.task().name(), always, any, either(task),
                    task.check().map(found -> new Answer(found.ungated(), found.underGates())), shown,
                    new GatesResult.Scores(task.always(shown), task.any(shown), task.mean(shown))));
        }
        return new GatesSummary(heads, perLayer, request.seeds(), request.quick(), tasks);
    }

    private static double either(FittedTask task) {
        List<double[]> roles = GateScore.of(task.task().isContrast()).stream()
                .filter(score -> score != GateScore.IRRELEVANCE)
                .map(task::any)
                .toList();
        double[] most = roles.getFirst().clone();
        for (double[] role : roles) {
            for (int head = 0; head < most.length; head++) {
                most[head] = Math.max(most[head], role[head]);
            }
        }
        return share(most);
    }

    private static double share(double[] scores) {
        int reached = 0;
        for (double score : scores) {
            reached += score >= GateScore.LEVEL ? 1 : 0;
        }
        return reached / (double) scores.length;
    }
}
