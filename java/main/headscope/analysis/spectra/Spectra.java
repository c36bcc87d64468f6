package headscope.analysis.spectra;

import headscope.analysis.InputException;
import headscope.analysis.Progress;
import headscope.analysis.Run;
import headscope.analysis.Text;
import headscope.analysis.TextFile;

import headscope.result.RunFolder;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The spectra analysis: every text goes through the model, every head is measured, and each head's values are tested
 * between the two classes of texts. In order: {@link #open} (which checks everything before anything is written),
 * {@link #observe}, {@link #write}, {@link #commit}.
 */
public final class Spectra implements AutoCloseable {
    private final SpectraRequest request;
    private final TextFile file;
    private final List<int[]> tokens = new ArrayList<>();
    private final Run run;
    private final Observer observer;
    private final List<Observation> observations = new ArrayList<>();
    private final Instant started = Instant.now();
    private int skipped;

    private Spectra(SpectraRequest request, TextFile file) {
        this.request = request;
        this.file = file;
        this.run = new Run(request.run(), SpectraManifest.input(request, file), (config, tokenizer) -> {
            for (Text text : file.texts()) {
                tokens.add(Observer.encode(text, file.name(), request, config, tokenizer));
            }
            Observer.requireMetrics(request, config, tokens);
        });
        this.observer = run.add(new Observer(request, run.model, run.tokenizer));
    }

    /**
     * @param standardInput read where the request's texts are "-"
     * @throws InputException and the exceptions of the packages below where the input cannot be used
     */
    public static Spectra open(SpectraRequest request, InputStream standardInput) {
        TextFile texts = TextFile.read(request.texts(), standardInput).first(request.limit());
        texts.requireBothLabels();
        return new Spectra(request, texts);
    }

    /** Sends every text through the model, but those that an interrupted run has finished. */
    public void observe(Progress progress) {
        run.requireSameInput();
        for (int i = 0; i < tokens.size(); i++) {
            int text = i;
            run.onDisk(() -> observe(text)).ifPresentOrElse(observations::add, () -> skipped++);
            run.keep();
            progress.reached(i + 1, tokens.size());
        }
    }

    private Optional<Observation> observe(int text) {
        Path done = run.folder.progress("%06d.safetensors".formatted(text));
        Optional<Optional<Observation>> earlier =
                run.folder.resumed() ? ObservationFile.read(done, request.metrics()) : Optional.empty();
        return earlier.orElseGet(() -> {
            Optional<Observation> seen =
                    observer.observe(text, file.texts().get(text), tokens.get(text), file.name());
            ObservationFile.write(done, request.metrics(), seen);
            return seen;
        });
    }

    /** Tests every head and writes all files but the picture into {@link #folder}. */
    public SpectraSummary write() {
        requireBothClasses();
        return run.onDisk(() -> {
            SpectraTests tests = SpectraTests.of(request, run.model.config(), observations, skipped);
            SpectraFiles.write(run.folder, request, run.model.config(), observations, tests);
            SpectraManifest.of(run, request, tests.summary(), started).write(run.folder.file(RunFolder.MANIFEST));
            return tests.summary();
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

    /** More texts may bring the other class: where there are some, what was observed is kept for them. */
    private void requireBothClasses() {
        for (int label = 0; label <= 1; label++) {
            int wanted = label;
            if (observations.stream().noneMatch(observation -> observation.label() == wanted)) {
                boolean more = request.limit() > 0;
                if (!more) {
                    run.folder.discard();
                }
                throw new InputException("%s: none of %d texts has label %d (%s answer); a test needs both classes: %s"
                        .formatted(file.name(), observations.size(), label, label == 0 ? "right" : "wrong",
                                more ? "--resume with a larger --limit" : "give more texts"));
            }
        }
    }

    @Override
    public void close() {
        run.close();
    }
}
