package headscope.analysis.functions;

import headscope.analysis.Analysis;
import headscope.analysis.InputException;
import headscope.analysis.Overflow;
import headscope.analysis.Progress;
import headscope.analysis.PromptAnswer;
import headscope.analysis.Run;
import headscope.analysis.statistics.RandomStreams;
import headscope.model.ModelConfig;
import headscope.result.ConfusionTable;
import headscope.result.FunctionsResult;
import headscope.result.MaskingTable;
import headscope.result.SampleTable;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * The functions analysis: trains a probe to predict from the outputs of all heads which function a text needs, and
 * computes how much each head contributes to its predictions (Cognitive Mirrors, arXiv 2512.10978). In order:
 * {@link #open} (which checks everything before anything is written), {@link #observe}, {@link #train},
 * {@link #ablate}, {@link #write}, {@link #commit}.
 */
public final class Functions implements Analysis {
    private final FunctionsRequest request;
    private final FunctionTexts texts;
    private final List<String> ids;
    private final List<PromptAnswer> prompts = new ArrayList<>();
    private final Run run;
    private final AnswerReader reader;
    private final List<Observation> observations = new ArrayList<>();
    private final List<HeadImportance> importance = new ArrayList<>();
    private final List<MaskingTable.Row> ablated = new ArrayList<>();
    private float[] logits;
    private double loss;

    private Functions(FunctionsRequest request, FunctionTexts texts) {
        this.request = request;
        this.texts = texts;
        this.ids = texts.file().ids();
        this.run = new Run(request.run(), FunctionsManifest.input(request, texts), (config, tokenizer) -> {
            requireModel(config);
            for (FunctionTexts.Text text : texts.texts()) {
                prompts.add(PromptAnswer.of(text.entry(), text.prompt(), text.answer(), request.join(), config, tokenizer));
            }
        });
        this.reader = new AnswerReader(run.model, run.batches);
    }

    /**
     * @param standardInput read if the request's texts are "-"
     * @throws InputException and the exceptions of the packages below if the input cannot be used
     */
    public static Functions open(FunctionsRequest request, InputStream standardInput) {
        return new Functions(request, FunctionTexts.of(request.run().read(request.texts(), standardInput, FunctionTexts.FORM)));
    }

    @Override
    public Run run() {
        return run;
    }

    private void requireModel(ModelConfig config) {
        request.run().requireCausal(config);
        int heads = config.layers() * config.heads();
        FunctionsRequest.Training training = request.training();
        if ((double) heads * training.projection() * training.hidden() > Integer.MAX_VALUE) {
            throw new InputException("--projection %d and --hidden %d need %d x %d x %d weights, above 2^31: lower them"
                    .formatted(training.projection(), training.hidden(), heads, training.projection(),
                            training.hidden()));
        }
        request.ablation().flatMap(FunctionsRequest.Ablation::heads).filter(count -> count > heads / 2)
                .ifPresent(count -> {
                    throw new InputException("--mask %d: the model has %d heads; at most half of them can be ablated"
                            .formatted(count, heads));
                });
    }

    /** Reads the outputs of all heads for every text, except those that an interrupted run has finished. */
    public void observe(Progress progress) {
        run.requireSameInput();
        progress.reached(0, prompts.size());
        int[] all = IntStream.range(0, prompts.size()).toArray();
        observations.addAll(run.inBatches(
                run.batches.of(all, text -> prompts.get(text).inputs().length), "%06d"::formatted, Observation.FILE,
                batch -> observe(batch, progress), UnaryOperator.identity(),
                done -> progress.reached(done, all.length)));
    }

    private List<Observation> observe(int[] batch, Progress progress) {
        List<Observation> some = reader.read(
                Arrays.stream(batch).mapToObj(prompts::get).toList(), request.tokens(), progress);
        for (int i = 0; i < batch.length; i++) {
            for (float value : some.get(i).outputs()) {
                if (!Float.isFinite(value)) {
                    throw texts.texts().get(batch[i]).entry().wrong(
                            "a head's output is not finite; " + Overflow.remedy(run.backend));
                }
            }
        }
        return some;
    }

    /** Trains the probe, predicts the functions of the test texts, and computes the importance of each head. */
    public void train(Progress progress) {
        ModelConfig config = run.model.config();
        FunctionsRequest.Training settings = request.training();
        List<float[]> outputs = observations.stream().map(Observation::outputs).toList();
        HeadFeatures features = new HeadFeatures(outputs, config.layers(), config.heads(), config.headDim());
        FunctionProbe.Sizes sizes = new FunctionProbe.Sizes(
                config.layers() * config.heads(), 2 * config.headDim(), settings.projection(), settings.hidden(),
                texts.functions().size());
        RandomGenerator random = RandomStreams.of(request.seed(), 0);
        int batch = Math.min(settings.batch(), observations.size());
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

    /** Ablates heads and counts the right answers that remain, if the request includes ablation. */
    public void ablate(Progress progress) {
        request.ablation().ifPresent(settings -> {
            HeadAblation ablation = new HeadAblation(reader, settings, texts, prompts, this::isRight);
            RandomGenerator random = RandomStreams.of(request.seed(), 1);
            for (int function = 0; function < texts.functions().size(); function++) {
                ablated.add(ablation.of(function, importance.get(function), random));
                progress.reached(function + 1, texts.functions().size());
            }
        });
    }

    /** Writes all files but the figure into {@link #folder}. */
    public FunctionsSummary write() {
        return run.onDisk(() -> {
            int[] test = texts.split(true);
            Confusion confusion = Confusion.of(texts.functions(test), logits, texts.functions().size());
            FunctionsSummary summary = summary(confusion);
            SequencedMap<String, double[]> columns = new LinkedHashMap<>();
            for (int function = 0; function < importance.size(); function++) {
                columns.put(texts.functions().get(function), importance.get(function).values());
            }
            new FunctionsResult(
                    FunctionsManifest.of(run, request, summary), run.model.config().layers(),
                    run.model.config().heads(), columns, samples(),
                    new ConfusionTable(texts.functions(), confusion.counts()), summary.ablation(),
                    new FunctionsResult.Predictions(logits, longs(test), longs(texts.functions(test))))
                    .write(run.folder);
            return summary;
        });
    }

    private SampleTable samples() {
        return new SampleTable(IntStream.range(0, observations.size())
                .mapToObj(text -> new SampleTable.Sample(
                        text, prompts.get(text).ids().length, texts.texts().get(text).function(),
                        run.tokenizer.decode(observations.get(text).predicted()).strip(),
                        texts.texts().get(text).answer(), ids.get(text), texts.texts().get(text).prompt()))
                .toList());
    }

    private static long[] longs(int[] values) {
        return Arrays.stream(values).asLongStream().toArray();
    }

    private FunctionsSummary summary(Confusion confusion) {
        List<FunctionsSummary.Function> functions = IntStream.range(0, texts.functions().size())
                .mapToObj(function -> new FunctionsSummary.Function(
                        texts.functions().get(function), texts.chosen(true, function).length,
                        confusion.accuracy(function), shareRight(function), importance.get(function).beforeElbow(),
                        importance.get(function).above(request.threshold()),
                        importance.get(function).values()))
                .toList();
        int test = texts.split(true).length;
        return new FunctionsSummary(
                texts.split(false).length, test, run.model.config().layers() * run.model.config().heads(),
                run.model.config().heads(), loss,
                confusion.accuracy(), (double) texts.chosen(true, texts.mostFrequent()).length / test,
                request.threshold(), functions,
                request.ablation().map(settings -> new MaskingTable(ablated)));
    }

    private double shareRight(int function) {
        int[] chosen = texts.chosen(true, function);
        return IntStream.of(chosen).filter(this::isRight).count() / (double) chosen.length;
    }

    /** Whether the model answers a text right without ablation. */
    private boolean isRight(int text) {
        return prompts.get(text).matches(observations.get(text).predicted());
    }
}
