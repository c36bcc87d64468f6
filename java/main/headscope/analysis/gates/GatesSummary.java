package headscope.analysis.gates;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * What a gates run found, for people.
 *
 * @param heads of all layers
 */
public record GatesSummary(int heads, int seeds, List<Task> tasks) {
    /**
     * Of one task.
     *
     * @param always share of heads that have a role in every seed, by score
     * @param any    in at least one
     * @param either share of heads that facilitate or interfere in at least one seed; of a contrast, that contrast
     * @param answer how likely answers are, where it was checked
     */
    public record Task(
            String name, SequencedMap<GateScore, Double> always, SequencedMap<GateScore, Double> any, double either,
            Optional<Answer> answer) {}

    /** Mean logarithm of an answer token's probability, nats: of the model as it is, and under G+. */
    public record Answer(double ungated, double underGates) {}

    static GatesSummary of(GatesRequest request, int heads, List<FittedTask> fitted) {
        List<Task> tasks = new ArrayList<>();
        for (FittedTask task : fitted) {
            SequencedMap<GateScore, Double> always = new LinkedHashMap<>();
            SequencedMap<GateScore, Double> any = new LinkedHashMap<>();
            for (GateScore score : GateScore.of(task.task())) {
                always.put(score, share(task.always(score)));
                any.put(score, share(task.any(score)));
            }
            tasks.add(new Task(task.task().name(), always, any, either(task),
                    task.check().map(found -> new Answer(found.ungated(), found.underGates()))));
        }
        return new GatesSummary(heads, request.seeds(), tasks);
    }

    private static double either(FittedTask task) {
        List<double[]> roles = GateScore.of(task.task()).stream()
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
