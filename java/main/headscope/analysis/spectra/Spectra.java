package headscope.analysis.spectra;

import headscope.analysis.Analysis;
import headscope.analysis.InputException;
import headscope.analysis.Progress;
import headscope.analysis.Run;
import headscope.analysis.Text;
import headscope.analysis.TextFile;
import headscope.metric.Metric;
import headscope.model.ModelConfig;
import headscope.result.SampleTable;
import headscope.result.SpectraResult;
import headscope.result.SpectraValues;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * The spectra analysis: measures every head on every text and tests each head's values between two classes of texts.
 * In order: {@link #open} (which checks everything before anything is written), {@link #observe}, {@link #write},
 * {@link #commit}.
 */
public final class Spectra implements Analysis {
    private final SpectraRequest request;
    private final TextFile file;
    private final List<int[]> tokens = new ArrayList<>();
    private final Run run;
    private final Observer observer;
    private final List<Observation> observations = new ArrayList<>();
    private int skipped;

    private Spectra(SpectraRequest request, TextFile file) {
        this.request = request;
        this.file = file;
        this.run = new Run(request.run(), SpectraManifest.input(request, file), (config, tokenizer) -> {
            request.run().requireCausal(config);
            for (Text text : file.texts()) {
                tokens.add(Observer.encode(text, file.name(), request, config, tokenizer));
            }
            Observer.requireMetrics(request, tokens);
        });
        this.observer = run.add(new Observer(request, run.model, run.tokenizer));
    }

    /**
     * @param standardInput read if the request's texts are "-"
     * @throws InputException and the exceptions of the packages below if the input cannot be used
     */
    public static Spectra open(SpectraRequest request, InputStream standardInput) {
        TextFile texts = TextFile.read(request.texts(), standardInput).first(request.limit());
        texts.requireBothLabels();
        return new Spectra(request, texts);
    }

    @Override
    public Run run() {
        return run;
    }

    /** Measures every text, except those that an interrupted run has finished. */
    public void observe(Progress progress) {
        run.requireSameInput();
        progress.reached(0, tokens.size());
        for (int i = 0; i < tokens.size(); i++) {
            int text = i;
            Optional<Observation> observation = run.once("%06d".formatted(text), Observation.file(request.metrics()),
                    () -> observer.observe(text, file.texts().get(text), tokens.get(text), file.name(), progress));
            observation.ifPresentOrElse(observations::add, () -> skipped++);
            progress.reached(i + 1, tokens.size());
        }
    }

    /** Tests every head and writes all files but the figure into {@link #folder}. */
    public SpectraSummary write() {
        requireBothClasses();
        return run.onDisk(() -> {
            ModelConfig config = run.model.config();
            SpectraTests tests = SpectraTests.of(request, config, observations, skipped);
            new SpectraResult(
                    SpectraManifest.of(run, request, tests.summary()), config.layers(), config.heads(),
                    tests.attentionScore(), tests.laplacian(), samples()).write(run.folder);
            values().write(run.folder);
            return tests.summary();
        });
    }

    private SampleTable samples() {
        return new SampleTable(observations.stream()
                .map(text -> new SampleTable.Sample(
                        text.index(), text.tokens(), Integer.toString(text.label()), text.answer(), text.expected()))
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

    /** If --limit left texts unread, the measurements remain for a resumed run: those texts may have the other class. */
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
}
