package headscope.analysis.spectra;

import headscope.analysis.Analysis;
import headscope.analysis.InputException;
import headscope.analysis.Progress;
import headscope.analysis.Run;
import headscope.analysis.Text;
import headscope.analysis.TextFile;
import headscope.analysis.answers.TextEncoder;
import headscope.analysis.answers.TextTokens;
import headscope.metric.Metric;
import headscope.model.GenerationKeys;
import headscope.result.SampleTable;
import headscope.result.SpectraResult;
import headscope.result.SpectraValues;
import headscope.result.TokenValueFiles;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The spectra analysis: measures every head on every text and tests each head's values between two classes of texts.
 * In order: {@link #open} (which checks everything before anything is written), {@link #observe}, {@link #write},
 * {@link #commit}.
 */
public final class Spectra implements Analysis {
    private final SpectraRequest request;
    private final TextFile file;
    private final List<String> ids;
    private final List<TextTokens> tokens = new ArrayList<>();
    private final Run run;
    private final Observer observer;
    private final List<Observation> observations = new ArrayList<>();
    private int skipped;

    private Spectra(SpectraRequest request, TextFile file) {
        this.request = request;
        this.file = file;
        this.ids = file.file().ids();
        this.run = new Run(request.run(), SpectraManifest.input(request, file), (config, tokenizer) -> {
            request.run().requireCausal(config);
            request.perToken().requireIn(config);
            TextEncoder encoder = new TextEncoder(request.answering(), config, tokenizer);
            for (Text text : file.texts()) {
                tokens.add(Observer.encode(text, request, encoder));
            }
            Observer.requireMetrics(request, tokens);
        });
        repeated(file).ifPresent(run.notices);
        if (tokens.stream().anyMatch(text -> text instanceof TextTokens.Prompt)) {
            GenerationKeys.ignored(request.run().model()).ifPresent(run.notices);
        }
        this.observer = new Observer(request, run.model, run.tokenizer);
    }

    /**
     * @param standardInput read if the request's texts are "-"
     * @throws InputException and the exceptions of the packages below if the input cannot be used
     */
    public static Spectra open(SpectraRequest request, InputStream standardInput) {
        TextFile texts = TextFile.of(
                        request.run().read(request.texts(), standardInput, TextFile.FORMS), request.answering().labelNames())
                .first(request.limit());
        request.answering().requireUsable(texts.texts());
        texts.requireBothLabels();
        return new Spectra(request, texts);
    }

    /** Several answers to one prompt depend on each other. */
    private static Optional<String> repeated(TextFile file) {
        List<String> prompts = file.texts().stream()
                .filter(text -> text.entry().has("generated"))
                .map(Text::prompt)
                .toList();
        int different = new HashSet<>(prompts).size();
        return different == prompts.size() ? Optional.empty() : Optional.of(("%s: %d given answers belong to %d prompts: answers to one"
                + " prompt depend on each other, so p is too small and the folds of the probes share prompts")
                .formatted(file.name(), prompts.size(), different));
    }

    @Override
    public Run run() {
        return run;
    }

    /** Measures every text, except those that an interrupted run has finished. */
    public void observe(Progress progress) {
        run.requireSameInput();
        progress.reached(0, tokens.size());
        int[] whole = IntStream.range(0, tokens.size()).filter(text -> tokens.get(text).isWhole()).toArray();
        int[] continued = IntStream.range(0, tokens.size()).filter(text -> !tokens.get(text).isWhole()).toArray();
        List<Optional<Observation>> ofWhole = run.inBatches(
                run.batches.of(whole, text -> tokens.get(text).work()), Spectra::progressName, Observation.file(request),
                batch -> observer.observe(indexed(batch), progress),
                observation -> observation.map(Observation::withoutTokens),
                done -> progress.reached(done, tokens.size()));
        AtomicInteger done = new AtomicInteger(whole.length);
        List<Optional<Observation>> ofContinued = run.inAnyOrder(
                continued, Spectra::progressName, Observation.file(request),
                (missing, measured) -> observer.observe(indexed(missing), run.batches, progress, measured),
                observation -> observation.map(Observation::withoutTokens),
                text -> progress.reached(done.incrementAndGet(), tokens.size()));
        Stream.concat(ofWhole.stream(), ofContinued.stream()).flatMap(Optional::stream)
                .sorted(Comparator.comparingInt(Observation::index))
                .forEach(observations::add);
        skipped = tokens.size() - observations.size();
    }

    private List<IndexedText> indexed(int[] texts) {
        return Arrays.stream(texts)
                .mapToObj(text -> new IndexedText(text, file.texts().get(text), tokens.get(text)))
                .toList();
    }

    /**
     * Tests every head, unless all texts have one label, and writes all files but the figure into {@link #folder}.
     *
     * @param progress of the probes, in folds
     */
    public SpectraSummary write(Progress progress) {
        if (observations.isEmpty()) {
            run.folder.discard();
            throw new InputException("%s: all %d texts have fewer than %d tokens; lower --k, or give longer texts"
                    .formatted(file.name(), skipped, request.k()));
        }
        return run.onDisk(() -> {
            SpectraValues values = values();
            boolean answered = given() == 0;
            SpectraTests tests = SpectraTests.of(values, request.tests(), answered, skipped, true, progress);
            new SpectraResult(
                    SpectraManifest.of(run, request, tests.summary(), given()), values.layers(), values.heads(), tests.tested(),
                    samples(), tests.summary().layers()).write(run.folder);
            values.write(run.folder);
            writeTokens();
            return tests.summary();
        });
    }

    private static String progressName(int text) {
        return "%06d".formatted(text);
    }

    /** Writes the values of tokens, if they are stored, one text after the other from its progress file. */
    private void writeTokens() {
        PerToken perToken = request.perToken();
        if (!perToken.values().isEmpty()) {
            new TokenValueFiles(
                    perToken.values().stream().map(PerToken.Value::key).toList(),
                    perToken.heads(run.model.config()).stream().map(head -> new int[] {head.layer(), head.head()}).toList(),
                    observations.stream().map(text -> new TokenValueFiles.Text(text.index(), text.ids())).toList())
                    .write(run.folder,
                            text -> run.again(progressName(observations.get(text).index()), Observation.file(request))
                                    .orElseThrow().perToken(),
                            run.tokenizer::token);
        }
    }

    /** Number of observed texts whose label the file gives; the others are graded. */
    private int given() {
        return (int) observations.stream().filter(text -> file.texts().get(text.index()).label().isPresent()).count();
    }

    private SampleTable samples() {
        return new SampleTable(observations.stream()
                .map(text -> new SampleTable.Sample(
                        text.index(), text.tokens(), Integer.toString(text.label()), text.answer(), text.expected(),
                        ids.get(text.index()), file.texts().get(text.index()).prompt()))
                .toList());
    }

    private SpectraValues values() {
        List<SpectraValues.Measured> measured = IntStream.range(0, request.metrics().size())
                .mapToObj(m -> new SpectraValues.Measured(
                        request.metrics().get(m).key(), perHead(request.metrics().get(m)),
                        observations.stream().map(text -> text.values().get(m)).toList()))
                .toList();
        return new SpectraValues(run.model.config().layers(), run.model.config().heads(), measured,
                observations.stream().mapToLong(Observation::label).toArray());
    }

    private OptionalInt perHead(Metric metric) {
        return metric instanceof Metric.Spectrum ? OptionalInt.of(request.k()) : OptionalInt.empty();
    }
}
