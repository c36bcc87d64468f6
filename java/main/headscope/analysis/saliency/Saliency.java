package headscope.analysis.saliency;

import headscope.analysis.Analysis;
import headscope.analysis.Entries;
import headscope.analysis.Entry;
import headscope.analysis.HeadName;
import headscope.analysis.InputException;
import headscope.analysis.Progress;
import headscope.analysis.ProgressFile;
import headscope.analysis.Run;
import headscope.model.ModelConfig;
import headscope.model.text.Tokenizer;
import headscope.result.SaliencyCell;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The saliency analysis: propagates the gradient of a prediction back to the attention of every head. In order:
 * {@link #open} (which checks what can be checked before anything is written), {@link #observe}, {@link #enlarge},
 * {@link #write}, {@link #commit}.
 */
public final class Saliency implements Analysis {
    private static final ProgressFile<float[]> SURPRISALS = new ProgressFile<>(
            values -> new ProgressFile.Contents(Map.of(), Map.of("surprisal", values), Map.of()),
            stored -> stored.get("surprisal").floats());

    /** That an array on the heap can have. */
    private static final long MOST_ELEMENTS = Integer.MAX_VALUE - 8;

    private final SaliencyRequest request;
    private final Optional<Entries> file;
    private final List<SaliencyText> shown = new ArrayList<>();
    private final List<SaliencyText> ablated = new ArrayList<>();
    private final Run run;
    private final SaliencyObserver observer;
    private final List<SaliencyObservation> observations = new ArrayList<>();
    private final List<float[]> surprisals = new ArrayList<>();
    private SaliencyMeans means;
    private HeadName head;
    private final SequencedMap<HeadName, HeadDetail> details = new LinkedHashMap<>();

    private Saliency(SaliencyRequest request, Optional<Entries> file) {
        this.request = request;
        this.file = file;
        this.run = new Run(request.run(), SaliencyManifest.input(request, file), this::check);
        this.observer = new SaliencyObserver(request, run.model, run.batches);
    }

    /**
     * @param standardInput read if the request's texts are "-"
     * @throws InputException and the exceptions of the packages below if the input cannot be used
     */
    public static Saliency open(SaliencyRequest request, InputStream standardInput) {
        InputException.require(request.texts().isPresent() || request.run().prompting().system().isEmpty(),
                "--system needs a file of chats: give --texts with \"messages\"");
        return new Saliency(request,
                request.texts().map(source -> request.run().read(source, standardInput, SaliencyText.FORM)));
    }

    @Override
    public Run run() {
        return run;
    }

    private void check(ModelConfig config, Tokenizer tokenizer) {
        request.run().requireCausal(config);
        request.view().head().ifPresent(head -> head.requireIn("--head", config));
        request.view().maps().forEach(head -> head.requireIn("--maps", config));
        request.ablation().heads().forEach(head -> head.requireIn("--ablate", config));
        if (2 * request.ablation().heads().size() > config.layers() * config.heads()) {
            throw new InputException("--ablate: %d of %d heads leave too few for random sets of the same size; name at most half of the heads"
                    .formatted(request.ablation().heads().size(), config.layers() * config.heads()));
        }
        Optional<String> rival = request.objective() instanceof SaliencyRequest.Objective.LogitDifference difference
                ? Optional.of(difference.word())
                : Optional.empty();
        SaliencyText.Reader reader = new SaliencyText.Reader(config, tokenizer, request.join(), rival);
        SaliencyText.Reader plain = new SaliencyText.Reader(config, tokenizer, request.join(), Optional.empty());
        request.text().ifPresent(text -> shown.add(reader.commandLine(text, request.target(), request.groups())));
        for (Entry entry : file.map(Entries::entries).orElse(List.of())) {
            if (request.average()) {
                shown.add(reader.entry(entry));
            }
            if (!request.ablation().heads().isEmpty()) {
                ablated.add(plain.entry(entry));
            }
        }
        if (sameLength()) {
            requireRoomForMaps();
        } else {
            requireSameGroups();
        }
        requireShare(shown.stream().allMatch(text ->
                text.target().isPresent() && text.ground(text.target().getAsInt()).isEmpty()));
    }

    private void requireShare(boolean absent) {
        if (request.view().cell() == SaliencyCell.SHARE && absent) {
            throw SaliencyMeans.noShare();
        }
    }

    private boolean sameLength() {
        return shown.stream().map(SaliencyText::length).distinct().count() == 1;
    }

    /** The maps of a layer's heads are in one array. */
    private void requireRoomForMaps() {
        long tokens = shown.getFirst().length();
        int maps = 1 + request.view().maps().size();
        InputException.require(maps * tokens * tokens <= MOST_ELEMENTS,
                "the maps of enlarged heads (%d) of a text of %,d tokens have too many elements; shorten the text%s".formatted(
                        maps, tokens, maps > 1 ? ", or name fewer --maps" : ""));
    }

    /** Maps of different sizes can be averaged over groups only. */
    private void requireSameGroups() {
        List<List<String>> labels = shown.stream().map(SaliencyText::labels).distinct().toList();
        if (labels.size() > 1 || labels.getFirst().isEmpty()) {
            throw new InputException("%s: the texts differ in length, so they can be averaged only over groups: "
                    .formatted(file.orElseThrow().name()) + "give every line \"groups\" with the same labels");
        }
        if (request.view().cell() == SaliencyCell.THUMBNAIL) {
            throw new InputException(("%s: the texts differ in length, so their maps cannot be averaged: "
                    + "choose another --cell").formatted(file.orElseThrow().name()));
        }
    }

    /** Runs every text through the model and back, except those that an interrupted run has finished. */
    public void observe(Progress progress) {
        run.requireSameInput();
        int all = shown.size() + ablated.size();
        progress.reached(0, all);
        observations.addAll(run.inBatches(
                batches(shown, 1), "text-%06d"::formatted, SaliencyObservation.FILE, batch -> observe(batch, progress),
                UnaryOperator.identity(), done -> progress.reached(done, all)));
        List<float[]> gates = AblationSets.of(request.ablation(), run.model.config()).gates();
        surprisals.addAll(run.inBatches(
                batches(ablated, gates.size()), "ablated-%06d"::formatted, SURPRISALS,
                batch -> observer.surprisals(
                        Arrays.stream(batch).mapToObj(ablated::get).toList(), gates, progress),
                UnaryOperator.identity(), done -> progress.reached(shown.size() + done, all)));
    }

    /** @param copies number of times that a text passes through the model */
    private List<int[]> batches(List<SaliencyText> texts, int copies) {
        return run.batches.of(IntStream.range(0, texts.size()).toArray(), text -> copies * texts.get(text).length());
    }

    private List<SaliencyObservation> observe(int[] batch, Progress progress) {
        List<SaliencyObservation> some =
                observer.observe(Arrays.stream(batch).mapToObj(shown::get).toList(), progress);
        requireShare(!request.average() && shown.getFirst().ground(some.getFirst().target()).isEmpty());
        return some;
    }

    /** Chooses the head to enlarge; computes its map and those of --maps, for which texts of equal length run once more. */
    public void enlarge(Progress progress) {
        run.onDisk(() -> {
            means = SaliencyMeans.of(observations, request.view().cell());
            head = request.view().head().orElseGet(() -> means.largest(run.model.config().heads()));
            List<HeadName> heads = Stream.concat(Stream.of(head), request.view().maps().stream()).distinct().toList();
            List<HeadDetail> maps = sameLength()
                    ? HeadDetail.tokens(observer, shown, observations, heads, progress)
                    : heads.stream()
                            .map(one -> HeadDetail.groups(shown, observations, one, run.model.config().heads())).toList();
            for (int i = 0; i < heads.size(); i++) {
                details.put(heads.get(i), maps.get(i));
            }
            return maps;
        });
    }

    /** Writes all files but the figure into {@link #folder}. */
    public SaliencySummary write() {
        return run.onDisk(() -> {
            SaliencyFindings findings = new SaliencyFindings(
                    request, run.model.config(), run.tokenizer, shown, observations, means, head, details, surprisals);
            findings.result(SaliencyManifest.of(run, findings)).write(run.folder);
            return findings.summary();
        });
    }
}
