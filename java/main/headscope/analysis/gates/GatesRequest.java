package headscope.analysis.gates;

import static headscope.analysis.InputException.require;

import headscope.analysis.RunRequest;
import headscope.result.GateScore;
import java.util.List;

/**
 * The settings of a gates run.
 *
 * @param tasks      with different names
 * @param seeds      number of masks fitted per task, each with its own initial gates and batches
 * @param schedules  of the free fit and of the fits pushed open and closed; a contrast takes the first
 * @param batch      texts per update and mask; a task with fewer texts takes all
 * @param lambda     weight of the regulariser; negative in contrasts only
 * @param clipNorm   maximum norm of a gradient; infinite = no clipping
 * @param score      the score that the figure shows
 * @param passTokens maximum number of tokens of a forward pass
 * @param seed       for initial gates and batches
 * @param limit      number of texts from the beginning of each file; 0 = all
 * @param quick      a sketch, which the figure and the summary say
 */
public record GatesRequest(
        RunRequest run, List<GateTask> tasks, int seeds, List<Schedule> schedules, int batch, double lambda,
        Regulariser regulariser, double clipNorm, GateScore score, Check check, int passTokens, long seed,
        int limit, boolean quick) {

    /**
     * The updates of a fit; Adam's learning rate decays linearly.
     *
     * @param from rate of the first update
     * @param to   rate after the last update
     */
    public record Schedule(int updates, double from, double to) {
        public Schedule {
            require(updates >= 1, "--updates must be at least 1, not " + updates);
            require(from > 0 && to > 0, "--rates must be above 0");
        }

        /** @param update index of the update, from 0 */
        double rate(int update) {
            return from + (to - from) * update / updates;
        }
    }

    /** The reduction over heads: the authors' code takes the mean, their equation 1 the sum. */
    public enum Regulariser {
        MEAN,
        SUM
    }

    /**
     * The check of fitted gates by opening and closing heads.
     *
     * @param texts number of texts from the beginning of each task
     * @param steps number of steps from no head changed to all
     */
    public record Check(int texts, int steps) {
        public Check {
            require(texts >= 1, "--check-texts must be at least 1, not " + texts);
        }
    }

    public GatesRequest {
        tasks = List.copyOf(tasks);
        schedules = List.copyOf(schedules);
        require(!tasks.isEmpty(), "nothing to fit: give --task NAME=FILE, or --forget FILE and --retain FILE");
        require(tasks.stream().map(GateTask::name).distinct().count() == tasks.size(),
                "two tasks have the same name; give each its own");
        require(seeds >= 1, "--seeds must be at least 1, not " + seeds);
        require(schedules.size() == GateFit.SCHEDULES, "--updates and --rates are three, one for each fit");
        require(batch >= 1, "--batch must be at least 1, not " + batch);
        require(Double.isFinite(lambda) && lambda != 0, "--lambda must be a number other than 0");
        require(lambda > 0 || tasks.stream().allMatch(GateTask::isContrast),
                "--lambda below 0 is for --forget and --retain: a task is fitted with both signs anyway");
        require(clipNorm > 0, "--clip-norm must be above 0");
        require(passTokens >= 1, "--pass-tokens must be at least 1, not " + passTokens);
        require(limit >= 0, "--limit must be at least 1, not " + limit);
    }

    Schedule schedule(GateFit fit) {
        return schedules.get(fit.schedule);
    }

    /** The regulariser of a fit. */
    GateRegulariser regulariser(GateFit fit) {
        return new GateRegulariser(fit.sign * lambda, regulariser);
    }
}
