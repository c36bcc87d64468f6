package headscope.analysis.functions;

import headscope.analysis.InputException;
import headscope.analysis.Progress;
import headscope.analysis.PromptAnswer;
import headscope.analysis.Run;
import headscope.model.ModelConfig;
import headscope.result.MaskingTable;
import headscope.result.RunFolder;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;

/**
 * The functions analysis: every text goes through the model, a probe learns from the outputs of all heads which
 * function a text asks for, and each head's share in its verdicts is told (Cognitive Mirrors, arXiv 2512.10978). In
 * order: {@link #open} (which checks everything before anything is written), {@link #observe}, {@link #train},
 * {@link #mask}, {@link #write}, {@link #commit}.
 */
public final class Functions implements AutoCloseable {
    private final FunctionsRequest request;
    private final FunctionTexts texts;
    private final List<PromptAnswer> answered = new ArrayList<>();
    private final Run run;
    private final AnswerReader reader;
    private final List<AnswerReader.Seen> seen = new ArrayList<>();
    private final List<HeadImportance> importance = new ArrayList<>();
    private final List<MaskingTable.Row> masked = new ArrayList<>();
    private final Instant started = Instant.now();
    private float[] logits;
    private double loss;

    private Functions(FunctionsRequest request, FunctionTexts texts) {
        this.request = request;
        this.texts = texts;
        this.run = new Run(request.run(), FunctionsManifest.input(request, texts), (config, tokenizer) -> {
            requireModel(config);
            for (FunctionTexts.Text text : texts.texts()) {
                answered.add(PromptAnswer.of(text.line(), text.prompt(), text.answer(), config, tokenizer));
            }
        });
        this.reader = new AnswerReader(run.model);
    }

    /**
     * @param standardInput read where the request's texts are "-"
     * @throws InputException and the exceptions of the packages below where the input cannot be used
     */
    public static Functions open(FunctionsRequest request, InputStream standardInput) {
        return new Functions(request, FunctionTexts.read(request.texts(), standardInput));
    }

    private void requireModel(ModelConfig config) {
        if (!config.causal()) {
            throw new InputException("%s: a %s model does not answer prompts: take a causal model"
                    .formatted(request.run().model(), config.family().modelType()));
        }
        int heads = config.layers() * config.heads();
        FunctionsRequest.Training training = request.training();
        if ((double) heads * training.projection() * training.hidden() > Integer.MAX_VALUE) {
            throw new InputException("--projection %d and --hidden %d need %d x %d x %d weights, above 2^31: lower them"
                    .formatted(training.projection(), training.hidden(), heads, training.projection(),
                            training.hidden()));
        }
        request.masking().flatMap(FunctionsRequest.Masking::heads).filter(count -> count > heads / 2)
                .ifPresent(count -> {
                    throw new InputException("--mask %d: the model has %d heads; at most half of them can be masked"
                            .formatted(count, heads));
                });
    }

    /** Sends every text through the model, but those that an interrupted run has finished. */
    public void observe(Progress progress) {
        run.requireSameInput();
        for (int i = 0; i < answered.size(); i++) {
            int text = i;
            seen.add(run.onDisk(() -> observe(text)));
            run.keep();
            progress.reached(i + 1, answered.size());
        }
    }

    private AnswerReader.Seen observe(int text) {
        Path done = run.folder.progress("%06d.safetensors".formatted(text));
        Optional<AnswerReader.Seen> earlier = run.folder.resumed() ? SeenFile.read(done) : Optional.empty();
        return earlier.orElseGet(() -> {
            AnswerReader.Seen now = reader.read(answered.get(text), request.tokens());
            for (float value : now.outputs()) {
                if (!Float.isFinite(value)) {
                    throw texts.texts().get(text).line()
                            .wrong("a head's output is not finite: the model overflows here");
                }
            }
            SeenFile.write(done, now);
            return now;
        });
    }

    /** Teaches the probe, lets it judge the test texts, and asks it what each head contributed. */
    public void train(Progress progress) {
        ModelConfig config = run.model.config();
        FunctionsRequest.Training settings = request.training();
        List<float[]> outputs = seen.stream().map(AnswerReader.Seen::outputs).toList();
        HeadFeatures features = new HeadFeatures(outputs, config.layers(), config.heads(), config.headDim());
        FunctionProbe.Sizes sizes = new FunctionProbe.Sizes(
                config.layers() * config.heads(), 2 * config.headDim(), settings.projection(), settings.hidden(),
                texts.functions().size());
        RandomGenerator random = random(0);
        int batch = Math.min(settings.batch(), seen.size());
        try (FunctionProbe probe = new FunctionProbe(run.backend, sizes, batch, random)) {
            int[] training = texts.split(false);
            loss = new ProbeTraining(probe, features, settings)
                    .train(training, texts.functions(training), random, progress);
            logits = probe.logits(features, texts.split(true));
            for (int function = 0; function < texts.functions().size(); function++) {
                importance.add(HeadImportance.of(
                        probe, features, settings.projection(), texts.chosen(true, function), function));
            }
        }
    }

    /** Lets the model answer without some of its heads, where that was asked for. */
    public void mask(Progress progress) {
        request.masking().ifPresent(settings -> {
            HeadMasking masking = new HeadMasking(reader, settings, texts, answered, this::isRight);
            RandomGenerator random = random(1);
            for (int function = 0; function < texts.functions().size(); function++) {
                masked.add(masking.of(function, importance.get(function), random));
                progress.reached(function + 1, texts.functions().size());
            }
        });
    }

    private RandomGenerator random(int purpose) {
        return RandomGeneratorFactory.of("L64X128MixRandom").create(request.seed() * 0x9E3779B97F4A7C15L + purpose);
    }

    /** Writes all files but the picture into {@link #folder}. */
    public FunctionsSummary write() {
        return run.onDisk(() -> {
            int[] test = texts.split(true);
            Confusion confusion = Confusion.of(texts.functions(test), logits, texts.functions().size());
            FunctionsSummary summary = summary(confusion);
            FunctionsFiles files = new FunctionsFiles(run, texts, answered, seen);
            files.writeHeads(importance);
            files.writeSamples();
            files.writeConfusion(confusion);
            files.writeValues(importance, logits);
            summary.masking().ifPresent(files::writeMasking);
            FunctionsManifest.of(run, request, summary, started).write(run.folder.file(RunFolder.MANIFEST));
            return summary;
        });
    }

    private FunctionsSummary summary(Confusion confusion) {
        List<FunctionsSummary.Function> functions = IntStream.range(0, texts.functions().size())
                .mapToObj(function -> new FunctionsSummary.Function(
                        texts.functions().get(function), texts.chosen(true, function).length,
                        confusion.accuracy(function), answeredRight(function), importance.get(function).beforeElbow(),
                        importance.get(function).above(request.threshold())))
                .toList();
        int test = texts.split(true).length;
        return new FunctionsSummary(
                texts.split(false).length, test, run.model.config().layers() * run.model.config().heads(), loss,
                confusion.accuracy(), (double) texts.chosen(true, texts.mostTaught()).length / test,
                request.threshold(), functions,
                request.masking().map(settings -> new MaskingTable(masked)));
    }

    private double answeredRight(int function) {
        int[] chosen = texts.chosen(true, function);
        return IntStream.of(chosen).filter(this::isRight).count() / (double) chosen.length;
    }

    /** Whether the model gives a text's answer with all heads. */
    private boolean isRight(int text) {
        return answered.get(text).is(seen.get(text).said());
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
