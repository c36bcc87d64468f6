package headscope.analysis.gates;

import headscope.analysis.Analysis;
import headscope.analysis.Progress;
import headscope.analysis.PromptAnswer;
import headscope.analysis.Run;
import headscope.result.GatesResult;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * Causal head gating: fits a factor from 0 to 1 on the output of every head to a task, pushed open and pushed closed,
 * which shows whether the head helps the task, harms it, or does neither. In order: {@link #open} (which checks
 * everything before anything is written), {@link #fit}, {@link #write}, {@link #commit}.
 */
public final class Gates implements Analysis {
    private final GatesRequest request;
    private final List<GateTexts> texts = new ArrayList<>();
    private final Run run;
    private final GatedModel model;
    private final List<FittedTask> fitted = new ArrayList<>();

    private Gates(GatesRequest request, List<GateFiles> files) {
        this.request = request;
        this.run = new Run(request.run(), GatesManifest.input(request, files), (config, tokenizer) -> {
            request.run().requireCausal(config);
            for (GateFiles ofTask : files) {
                texts.add(ofTask.encode(request.join(), config, tokenizer));
            }
        });
        this.model = new GatedModel(run.model, run.batches.tokens());
    }

    /**
     * @param standardInput read if a task's texts are "-"
     * @throws headscope.analysis.InputException and the exceptions of the packages below if the input cannot be used
     */
    public static Gates open(GatesRequest request, InputStream standardInput) {
        return new Gates(request, request.tasks().stream()
                .map(task -> GateFiles.read(task, request.run(), request.limit(), standardInput))
                .toList());
    }

    @Override
    public Run run() {
        return run;
    }

    /** Fits all masks, except those that an interrupted run has finished, and checks them. */
    public void fit(Progress progress) {
        run.requireSameInput();
        Count count = new Count(progress);
        for (int i = 0; i < texts.size(); i++) {
            GateTask task = request.tasks().get(i);
            SequencedMap<GateFit, FittedMasks> fits = fit(task, texts.get(i), count);
            fitted.add(new FittedTask(task, fits, check(task, texts.get(i), fits, count)));
        }
    }

    private SequencedMap<GateFit, FittedMasks> fit(GateTask task, GateTexts texts, Count count) {
        SequencedMap<GateFit, FittedMasks> fits = new LinkedHashMap<>();
        for (GateFit fit : task.fits()) {
            int before = count.done;
            count.reach(before);
            fits.put(fit, run.once("%d-%s".formatted(request.tasks().indexOf(task), fit.suffix), FittedMasks.FILE,
                    () -> new GateFitting(request, model.reporting(count))
                            .fit(fit, texts, fit.start.map(fits::get), () -> count.add(1))));
            count.reach(before + request.schedule(fit).updates());
        }
        return fits;
    }

    private Optional<GateCheck> check(
            GateTask task, GateTexts texts, SequencedMap<GateFit, FittedMasks> fits, Count count) {
        if (task.isContrast()) {
            return Optional.empty();
        }
        List<PromptAnswer> first = texts.retained().subList(0, Math.min(request.check().texts(), texts.size()));
        return Optional.of(run.onDisk(() -> GateCheck.of(
                model.reporting(count), first, fits.get(GateFit.OPEN), fits.get(GateFit.SHUT), checkSteps(), request.seed(),
                () -> count.add(1))));
    }

    private int checkSteps() {
        return Math.min(request.check().steps(), model.heads());
    }

    /** Counts finished updates and steps of checks. */
    private final class Count implements Progress {
        private final Progress progress;
        private final int all;
        private int done;

        Count(Progress progress) {
            this.progress = progress;
            this.all = request.tasks().stream()
                    .mapToInt(task -> task.fits().stream().mapToInt(fit -> request.schedule(fit).updates()).sum()
                            + (task.isContrast() ? 0 : GateCheck.steps(checkSteps())))
                    .sum();
        }

        void add(int steps) {
            reach(done + steps);
        }

        void reach(int steps) {
            done = steps;
            reached(done, all);
        }

        @Override
        public void reached(int done, int of) {
            progress.reached(done, of);
        }

        @Override
        public void within(double share) {
            progress.within(share);
        }
    }

    /** Writes all files but the figures into {@link #folder}. */
    public GatesSummary write() {
        return run.onDisk(() -> {
            GatesSummary summary = GatesSummary.of(request, model.heads(), run.model.config().heads(), fitted);
            new GatesResult(
                    GatesManifest.of(run, request, texts, summary), run.model.config().layers(),
                    run.model.config().heads(), fitted.stream().map(FittedTask::result).toList()).write(run.folder);
            return summary;
        });
    }
}
