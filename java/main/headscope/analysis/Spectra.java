package headscope.analysis;

import headscope.backend.Backend;
import headscope.model.Checkpoint;
import headscope.model.Tokenizer;
import headscope.model.Transformer;
import headscope.result.RunFolder;
import headscope.result.RunFolderException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * The spectra analysis: every text goes through the model, every head is measured, and each head's values are tested
 * between the two classes of texts. In order: {@link #open} (which checks everything before anything is written),
 * {@link #observe}, {@link #write}, {@link #commit}.
 */
public final class Spectra implements AutoCloseable {
    private final SpectraRequest request;
    private final TextFile file;
    private final Opened opened = new Opened();
    private final Backend backend;
    private final Transformer model;
    private final Observer observer;
    private final List<int[]> tokens;
    private final Provenance provenance;
    private final RunFolder folder;
    private final List<Observation> observations = new ArrayList<>();
    private final Instant started = Instant.now();
    private int skipped;

    private Spectra(SpectraRequest request, TextFile file) {
        this.request = request;
        this.file = file;
        try (Checkpoint checkpoint = Checkpoint.open(request.model())) {
            CompletableFuture<Provenance> reading = Provenance.read(request, checkpoint, file);
            this.backend = opened.add(Backend.open(request.device()));
            Tokenizer tokenizer = opened.add(Tokenizer.open(request.model()));
            this.tokens = file.texts().stream()
                    .map(text -> Observer.encode(text, file.name(), request, checkpoint.config(), tokenizer))
                    .toList();
            Observer.requireMetrics(request, checkpoint.config(), tokens);
            this.model = opened.add(new Transformer(checkpoint, backend));
            this.observer = opened.add(new Observer(request, model, tokenizer));
            this.provenance = reading.join();
            this.folder = opened.add(RunFolder.begin(request.out(), request.resume(), request.overwrite()));
        } catch (Throwable failure) {
            opened.close();
            throw failure;
        }
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
        onDisk(() -> {
            provenance.requireSame(folder);
            boolean behind = folder.resumed();
            for (int i = 0; i < tokens.size(); i++) {
                Path done = folder.progress("%06d.safetensors".formatted(i));
                Optional<Optional<Observation>> earlier =
                        behind ? ObservationFile.read(done, request.metrics()) : Optional.empty();
                Optional<Observation> seen;
                if (earlier.isPresent()) {
                    seen = earlier.get();
                } else {
                    seen = observer.observe(i, file.texts().get(i), tokens.get(i), file.name());
                    ObservationFile.write(done, request.metrics(), seen);
                }
                seen.ifPresentOrElse(observations::add, () -> skipped++);
                progress.reached(i + 1, tokens.size());
            }
            return observations.size();
        });
    }

    /** Tests every head and writes all files but the picture into {@link #folder}. */
    public SpectraSummary write() {
        requireBothClasses();
        return onDisk(() -> {
            SpectraTests tests = SpectraTests.of(request, model.config(), observations, skipped);
            SpectraFiles.write(folder, request, model.config(), observations, tests);
            provenance.manifest(request, model.config(), backend.describe(), tests.summary(), started)
                    .write(folder.file(RunFolder.MANIFEST));
            return tests.summary();
        });
    }

    /** Where the files stand until {@link #commit}. */
    public Path folder() {
        return folder.file(RunFolder.MANIFEST).getParent();
    }

    /** Makes the run folder appear. */
    public void commit() {
        onDisk(() -> {
            folder.commit();
            return request.out();
        });
    }

    /** More texts may bring the other class: where there are some, what was observed is kept for them. */
    private void requireBothClasses() {
        for (int label = 0; label <= 1; label++) {
            int wanted = label;
            if (observations.stream().noneMatch(observation -> observation.label() == wanted)) {
                boolean more = request.limit() > 0;
                if (!more) {
                    folder.discard();
                }
                throw new InputException("%s: none of %d texts has label %d (%s answer); a test needs both classes: %s"
                        .formatted(file.name(), observations.size(), label, label == 0 ? "right" : "wrong",
                                more ? "--resume with a larger --limit" : "give more texts"));
            }
        }
    }

    /** A disk that fails leaves nothing behind, nor does a run that is refused before its first text is done. */
    private <T> T onDisk(Supplier<T> work) {
        try {
            return work.get();
        } catch (UncheckedIOException | RunFolderException failure) {
            folder.discard();
            throw failure;
        } catch (InputException refused) {
            if (observations.isEmpty() && skipped == 0 && !folder.resumed()) {
                folder.discard();
            }
            throw refused;
        }
    }

    @Override
    public void close() {
        opened.close();
    }
}
