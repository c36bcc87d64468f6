package headscope.analysis.gates;

import headscope.analysis.InputException;
import headscope.analysis.Progress;
import headscope.analysis.PromptAnswer;
import headscope.analysis.Run;
import headscope.model.ModelConfig;
import headscope.result.RunFolder;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * Causal head gating: a factor from 0 to 1 on every head's output is fitted to a task, pushed open and pushed shut, and
 * says whether the task needs the head, suffers from it, or neither. In order: {@link #open} (which checks everything
 * before anything is written), {@link #fit}, {@link #write}, {@link #commit}.
 */
public final class Gates implements AutoCloseable {
    private final GatesRequest request;
    private final List<GateTexts> texts = new ArrayList<>();
    private final Run run;
    private final GatedModel model;
    private final List<FittedTask> fitted = new ArrayList<>();
    private final Instant started = Instant.now();

    private Gates(GatesRequest request, List<GateFiles> files) {
        this.request = request;
        this.run = new Run(request.run(), GatesManifest.input(request, files), (config, tokenizer) -> {
            requireCausal(config);
            for (GateFiles ofTask : files) {
                texts.add(ofTask.encode(config, tokenizer));
            }
        });
        this.model = new GatedModel(run.model, request.passTokens());
    }

    /**
     * @param standardInput read where a task's texts are "-"
     * @throws InputException and the exceptions of the packages below where the input cannot be used
     */
    public static Gates open(GatesRequest request, InputStream standardInput) {
        return new Gates(request, request.tasks().stream()
                .map(task -> GateFiles.read(task, request.limit(), standardInput))
                .toList());
    }

    private void requireCausal(ModelConfig config) {
        if (!config.causal()) {
            throw new InputException("%s: %s is bidirectional and predicts no next token: take a causal model"
                    .formatted(request.run().model(), config.family().modelType()));
        }
    }

    /** Fits all masks, but those that an interrupted run has finished, and checks them. */
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
            Path done = run.folder.progress(
                    "%d-%s.safetensors".formatted(request.tasks().indexOf(task), fit.suffix));
            fits.put(fit, run.onDisk(() -> {
                Optional<FittedMasks> earlier = run.folder.resumed() ? FittedMasksFile.read(done) : Optional.empty();
                if (earlier.isPresent()) {
                    count.add(request.schedule(fit).updates());
                    return earlier.get();
                }
                FittedMasks masks = new GateFitting(request, model)
                        .fit(fit, texts, fit.start.map(fits::get), () -> count.add(1));
                FittedMasksFile.write(done, masks);
                return masks;
            }));
            run.keep();
        }
        return fits;
    }

    private Optional<GateCheck> check(
            GateTask task, GateTexts texts, SequencedMap<GateFit, FittedMasks> fits, Count count) {
        if (task.isContrast()) {
            return Optional.empty();
        }
        List<PromptAnswer> first = texts.kept().subList(0, Math.min(request.check().texts(), texts.size()));
        return Optional.of(run.onDisk(() -> GateCheck.of(
                model, first, fits.get(GateFit.OPEN), fits.get(GateFit.SHUT), checkSteps(), request.seed(),
                () -> count.add(1))));
    }

    private int checkSteps() {
        return Math.min(request.check().steps(), model.heads());
    }

    /** Updates and steps of checks that are done. */
    private final class Count {
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

        void add(int more) {
            done += more;
            progress.reached(done, all);
        }
    }

    /** Writes all files but the pictures into {@link #folder}. */
    public GatesSummary write() {
        return run.onDisk(() -> {
            GatesSummary summary = GatesSummary.of(request, model.heads(), fitted);
            GatesFiles.write(run.folder, run.model.config(), fitted);
            GatesManifest.of(run, request, texts, summary, started).write(run.folder.file(RunFolder.MANIFEST));
            return summary;
        });
    }

    /** Where the files stand until {@link #commit}. */
    public Path folder() {
        return run.place();
    }

    /** Makes the run folder appear. */
    public void commit() {
        run.commit();
    }

    @Override
    public void close() {
        run.close();
    }
}
