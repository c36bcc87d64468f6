package headscope.analysis.gates;

import static headscope.analysis.InputException.require;
import static headscope.analysis.InputException.requireCount;

import headscope.analysis.InputException;
import headscope.analysis.Join;
import headscope.analysis.RunRequest;
import headscope.result.GateScore;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The settings of a gates run.
 *
 * @param tasks      with different names
 * @param join       what stands between prompt and answer
 * @param seeds      number of masks fitted per task, each with its own initial gates and batches
 * @param schedules  of the free fit and of the fits pushed open and closed; a contrast takes the first
 * @param batch      texts per update and mask; a task with fewer texts takes all
 * @param lambda     weight of the regulariser; negative in contrasts only
 * @param clipNorm   maximum norm of a gradient; infinite = no clipping
 * @param score      the score that the figure shows
 * @param seed       for initial gates and batches
 * @param limit      number of texts from the beginning of each file; 0 = all
 * @param quick      whether the run is approximate; the figure and the summary say so
 */
public record GatesRequest(
        RunRequest run, List<GateTask> tasks, Join join, int seeds, List<Schedule> schedules, int batch, double lambda,
        Regulariser regulariser, double clipNorm, GateScore score, Check check, long seed, int limit, boolean quick) {
    /** Defaults, as in the paper. */
    public static final int SEEDS = 10;

    public static final String UPDATES = "500,500,500";
    public static final String RATES = "0.1-0.01,0.5-0.1,0.5-0.1";
    public static final int BATCH = 64;
    public static final double LAMBDA = 0.1;
    public static final int CHECK_TEXTS = 64;

    /** The loss of every seed and update is stored. */
    public static final int MAX_SEEDS = 1000;

    public static final int MAX_UPDATES = 100_000;

    /** Defaults with {@link #quick}. */
    public static final int QUICK_SEEDS = 4;

    public static final String QUICK_UPDATES = "40,40,40";
    public static final int QUICK_BATCH = 8;
    public static final int QUICK_CHECK_TEXTS = 12;

    /** Defaults that the paper does not give. */
    public static final GateScore SCORE = GateScore.FACILITATION;

    /** Every setting at its default. */
    public static GatesRequest of(RunRequest run, List<GateTask> tasks) {
        return new GatesRequest(run, tasks, Join.AUTO, SEEDS, Schedule.parseList(UPDATES, RATES), BATCH, LAMBDA, Regulariser.MEAN,
                Double.POSITIVE_INFINITY, score(tasks), new Check(CHECK_TEXTS, 24), 0, 0, false);
    }

    /** An approximate run with fewer seeds, updates and texts: a minute or two on a small model. */
    public static GatesRequest quick(RunRequest run, List<GateTask> tasks) {
        return new GatesRequest(run, tasks, Join.AUTO, QUICK_SEEDS, Schedule.parseList(QUICK_UPDATES, RATES), QUICK_BATCH, LAMBDA,
                Regulariser.MEAN, Double.POSITIVE_INFINITY, score(tasks), new Check(QUICK_CHECK_TEXTS, 12), 0, 0, true);
    }

    private static GateScore score(List<GateTask> tasks) {
        return tasks.stream().allMatch(GateTask::isContrast) ? GateScore.CONTRAST : SCORE;
    }

    /**
     * The updates of a fit; Adam's learning rate decays linearly.
     *
     * @param from rate of the first update
     * @param to   rate after the last update
     */
    public record Schedule(int updates, double from, double to) {
        public Schedule {
            requireCount("--updates", updates, 1, MAX_UPDATES);
            require(from > 0 && to > 0, "--rates must be above 0");
        }

        /**
         * Parses schedules as given on the command line.
         *
         * @param updates such as {@link #UPDATES}
         * @param rates   such as {@link #RATES}
         */
        public static List<Schedule> parseList(String updates, String rates) {
            String[] counts = updates.split(",", -1);
            String[] spans = rates.split(",", -1);
            require(counts.length == spans.length, "--updates has %d numbers and --rates %d; give three of each"
                    .formatted(counts.length, spans.length));
            return IntStream.range(0, counts.length).mapToObj(i -> parse(counts[i], spans[i])).toList();
        }

        private static Schedule parse(String count, String span) {
            String[] ends = span.split("-", -1);
            try {
                if (ends.length == 2) {
                    return new Schedule(
                            Integer.parseInt(count), Double.parseDouble(ends[0]), Double.parseDouble(ends[1]));
                }
            } catch (NumberFormatException notNumbers) {
                // reported below
            }
            throw new InputException("--updates must have the form %s and --rates the form %s, not \"%s\" and \"%s\""
                    .formatted(UPDATES, RATES, count, span));
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
        require(score != GateScore.CONTRAST || tasks.stream().allMatch(GateTask::isContrast),
                "--score contrast requires --forget and --retain");
        requireCount("--seeds", seeds, 1, MAX_SEEDS);
        require(schedules.size() == GateFit.SCHEDULES, "--updates and --rates need three values each, one per fit");
        require(batch >= 1, "--batch must be at least 1, not " + batch);
        require(Double.isFinite(lambda) && lambda != 0, "--lambda must be a number other than 0");
        require(lambda > 0 || tasks.stream().allMatch(GateTask::isContrast),
                "a negative --lambda requires --forget and --retain; a task is always fitted with both signs");
        require(clipNorm > 0, "--clip-norm must be above 0");
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
