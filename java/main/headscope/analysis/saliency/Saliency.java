package headscope.analysis.saliency;

import headscope.analysis.InputException;
import headscope.analysis.JsonLines;
import headscope.analysis.Progress;
import headscope.analysis.Run;

import headscope.analysis.saliency.SaliencyRequest.Cell;
import headscope.model.ModelConfig;
import headscope.model.Tokenizer;
import headscope.result.RunFolder;
import headscope.tensor.DType;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Safetensors;
import headscope.tensor.SafetensorsWriter;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The saliency analysis: a text goes through the model and the gradient of what it predicts back to the attention of
 * every head. In order: {@link #open} (which checks what can be checked before anything is written), {@link #observe},
 * {@link #write}, {@link #commit}.
 */
public final class Saliency implements AutoCloseable {
    private final SaliencyRequest request;
    private final Optional<JsonLines> file;
    private final List<SaliencyText> shown = new ArrayList<>();
    private final List<SaliencyText> silenced = new ArrayList<>();
    private final Run run;
    private final SaliencyObserver observer;
    private final List<SaliencyObservation> observations = new ArrayList<>();
    private final List<float[]> surprisals = new ArrayList<>();
    private final Instant started = Instant.now();

    private Saliency(SaliencyRequest request, Optional<JsonLines> file) {
        this.request = request;
        this.file = file;
        this.run = new Run(request.run(), SaliencyManifest.input(request, file), this::check);
        this.observer = new SaliencyObserver(request, run.model);
    }

    /**
     * @param standardInput read where the request's texts are "-"
     * @throws InputException and the exceptions of the packages below where the input cannot be used
     */
    public static Saliency open(SaliencyRequest request, InputStream standardInput) {
        return new Saliency(request,
                request.texts().map(source -> JsonLines.read(source, standardInput, SaliencyText.FORM)));
    }

    private void check(ModelConfig config, Tokenizer tokenizer) {
        if (!config.causal()) {
            throw new InputException("%s: %s is bidirectional, it predicts no next token: take a causal model"
                    .formatted(request.run().model(), config.family().modelType()));
        }
        request.view().head().ifPresent(head -> head.requireIn("--head", config));
        request.ablation().heads().forEach(head -> head.requireIn("--ablate", config));
        if (2 * request.ablation().heads().size() > config.layers() * config.heads()) {
            throw new InputException("--ablate: %d heads of %d leave too few to draw as many others from"
                    .formatted(request.ablation().heads().size(), config.layers() * config.heads()));
        }
        Optional<String> rival = request.objective() instanceof SaliencyRequest.Objective.LogitDifference difference
                ? Optional.of(difference.word())
                : Optional.empty();
        SaliencyText.Reader reader = new SaliencyText.Reader(config, tokenizer, rival);
        SaliencyText.Reader plain = new SaliencyText.Reader(config, tokenizer, Optional.empty());
        request.text().ifPresent(text -> shown.add(reader.commandLine(text, request.target(), request.groups())));
        for (JsonLines.Line line : file.map(JsonLines::lines).orElse(List.of())) {
            if (request.average()) {
                shown.add(reader.line(line));
            }
            if (!request.ablation().heads().isEmpty()) {
                silenced.add(plain.line(line));
            }
        }
        if (request.view().skipFirst()) {
            shown.forEach(text -> requireShort(text.length()));
        }
        if (!sameLength()) {
            requireSameGroups();
        }
        requireShare(shown.stream().allMatch(text ->
                text.target().isPresent() && text.ground(text.target().getAsInt()).isEmpty()));
    }

    private void requireShare(boolean none) {
        if (request.view().cell() == Cell.SHARE && none) {
            throw SaliencyMeans.noShare();
        }
    }

    private static void requireShort(int tokens) {
        if (tokens > SaliencyFold.MOST_TOKENS) {
            throw new InputException("--skip-first is for texts of at most %d tokens; one has %d"
                    .formatted(SaliencyFold.MOST_TOKENS, tokens));
        }
    }

    private boolean sameLength() {
        return shown.stream().map(SaliencyText::length).distinct().count() == 1;
    }

    /** Maps of different sizes have nothing in common but their groups. */
    private void requireSameGroups() {
        List<List<String>> labels = shown.stream().map(SaliencyText::labels).distinct().toList();
        if (labels.size() > 1 || labels.getFirst().isEmpty()) {
            throw new InputException("%s: the texts differ in length; only with the same groups in each can they be "
                    .formatted(file.orElseThrow().name()) + "averaged: give every line \"groups\" with the same labels");
        }
        if (request.view().cell() == Cell.THUMBNAIL) {
            throw new InputException(("%s: the texts differ in length, their maps cannot be averaged: "
                    + "take another --cell").formatted(file.orElseThrow().name()));
        }
    }

    /** Sends every text through the model and back, but those that an interrupted run has finished. */
    public void observe(Progress progress) {
        run.requireSameInput();
        int all = shown.size() + silenced.size();
        for (SaliencyText text : shown) {
            observations.add(run.onDisk(() -> observed(text)));
            run.keep();
            progress.reached(observations.size(), all);
        }
        AblationSets silencing = AblationSets.of(request.ablation(), run.model.config());
        for (SaliencyText text : silenced) {
            surprisals.add(run.onDisk(() -> surprisals(text, silencing)));
            progress.reached(observations.size() + surprisals.size(), all);
        }
    }

    private SaliencyObservation observed(SaliencyText text) {
        Path done = progress("text", observations.size());
        Optional<SaliencyObservation> earlier =
                run.folder.resumed() ? SaliencyObservation.read(done) : Optional.empty();
        return earlier.orElseGet(() -> {
            SaliencyObservation seen = observer.observe(text);
            requireShare(!request.average() && text.ground(seen.target()).isEmpty());
            seen.write(done);
            return seen;
        });
    }

    private float[] surprisals(SaliencyText text, AblationSets silencing) {
        Path done = progress("silenced", surprisals.size());
        if (run.folder.resumed() && Files.exists(done)) {
            try (Safetensors stored = Safetensors.open(done)) {
                return stored.get("surprisal").floats();
            } catch (ModelFormatException damaged) {
                // Computed again.
            }
        }
        float[] seen = observer.surprisals(text, silencing.gates());
        try (SafetensorsWriter writer = SafetensorsWriter.create(
                done, Map.of(), List.of(new SafetensorsWriter.Layout("surprisal", DType.F32, seen.length)))) {
            writer.append("surprisal", seen);
            writer.commitUnforced();
        }
        return seen;
    }

    private Path progress(String kind, int index) {
        return run.folder.progress("%s-%06d.safetensors".formatted(kind, index));
    }

    /** Chooses the head to enlarge and writes all files but the picture into {@link #folder}. */
    public SaliencySummary write() {
        return run.onDisk(() -> {
            SaliencyMeans means = SaliencyMeans.of(observations, request.view().cell());
            HeadName head = request.view().head().orElseGet(() -> means.largest(run.model.config().heads()));
            HeadDetail enlarged = sameLength()
                    ? HeadDetail.tokens(observer, shown, observations, head)
                    : HeadDetail.groups(shown, observations, head, run.model.config().heads());
            SaliencyFindings findings = new SaliencyFindings(
                    request, run.model.config(), run.tokenizer, shown, observations, means, head, enlarged, surprisals);
            SaliencyFiles.write(run.folder, findings);
            SaliencyManifest.of(run, findings, started).write(run.folder.file(RunFolder.MANIFEST));
            return findings.summary();
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
