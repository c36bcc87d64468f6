package headscope.analysis.gates;

import headscope.analysis.InputException;
import headscope.analysis.RunRequest;

import java.util.List;

/**
 * What a gates run is asked for.
 *
 * @param tasks      differently named
 * @param seeds      masks fitted to each task, each from another start and with other batches
 * @param schedules  of the fit without pressure, then of the two under pressure; a contrast takes the first
 * @param batch      texts of an update and mask; a task with fewer takes all it has
 * @param lambda     how hard gates are pushed; below 0 in contrasts only
 * @param longest    norm to which a longer gradient is shortened; infinite = none is
 * @param score      that the picture shows
 * @param passTokens tokens that go through the model together
 * @param seed       of all starts and batches
 * @param limit      only so many texts of each file from the top; 0 = all
 * @param quick      a sketch: told to whoever looks at it
 */
public record GatesRequest(
        RunRequest run, List<GateTask> tasks, int seeds, List<Schedule> schedules, int batch, double lambda,
        Regulariser regulariser, double longest, GateScore score, Check check, int passTokens, long seed,
        int limit, boolean quick) {

    /**
     * How a fit goes downhill: the rate of Adam falls in a line.
     *
     * @param from the first update's rate
     * @param to   what the rate has come down to after the last
     */
    public record Schedule(int updates, double from, double to) {
        public Schedule {
            require(updates >= 1, "--updates must be at least 1, not " + updates);
            require(from > 0 && to > 0, "--rates must be above 0");
        }

        /** @param update from 0 on */
        double rate(int update) {
            return from + (to - from) * update / updates;
        }
    }

    /** The push, over the heads of all layers: the authors' code takes the mean, their equation 1 the sum. */
    public enum Regulariser {
        MEAN,
        SUM
    }

    /**
     * How closely the fitted gates are looked at by opening and closing heads.
     *
     * @param texts from the top of each task
     * @param steps from no head changed to all
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
        require(longest > 0, "--clip-norm must be above 0");
        require(passTokens >= 1, "--pass-tokens must be at least 1, not " + passTokens);
        require(limit >= 0, "--limit must be at least 1, not " + limit);
    }

    private static void require(boolean holds, String rule) {
        if (!holds) {
            throw new InputException(rule);
        }
    }

    Schedule schedule(GateFit fit) {
        return schedules.get(fit.schedule);
    }

    /** What pushes the gates in a fit. */
    GateRegulariser regulariser(GateFit fit) {
        return new GateRegulariser(fit.sign * lambda, regulariser);
    }
}
