package headscope.analysis;

import headscope.analysis.answers.Answering;
import headscope.analysis.functions.Functions;
import headscope.analysis.functions.FunctionsRequest;
import headscope.analysis.gates.GateTask;
import headscope.analysis.gates.Gates;
import headscope.analysis.gates.GatesRequest;
import headscope.analysis.saliency.Saliency;
import headscope.analysis.saliency.SaliencyRequest;
import headscope.analysis.spectra.PerToken;
import headscope.analysis.spectra.Spectra;
import headscope.analysis.spectra.SpectraRequest;
import headscope.backend.DeviceChoice;
import headscope.metric.Metric;
import headscope.result.SpectraView;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On the CPU, runs have the same bytes whatever the size of their batches. */
class BatchSizesTest {
    private static final Path DATA = Path.of("data");

    @TempDir
    private Path folder;

    private void assertSameBytes(BiConsumer<RunRequest, Path> run) throws IOException {
        for (int tokens : new int[] {1, 64, 100_000}) {
            Path out = folder.resolve("run-" + tokens);
            run.accept(new RunRequest(DemoRuns.MODEL, out, DeviceChoice.of("cpu"), false, false, "test", Fields.SAME,
                    Prompting.standard(), OptionalInt.of(tokens)), out);
            DemoRuns.assertSameFiles(folder.resolve("run-1"), out);
        }
    }

    private Path first(String file, int lines) throws IOException {
        try (Stream<String> all = Files.lines(DATA.resolve(file))) {
            return Files.write(folder.resolve(file), all.limit(lines).toList());
        }
    }

    /** Questions of one new token, labelled texts, choices and given answers, with every metric and values of tokens. */
    @Test
    void spectra() throws IOException {
        Path questions = first("qa.jsonl", 4);
        String prompt = "the capital of boria is birch . elder is the capital of elvia . the capital of boria is";
        List<String> others = List.of(
                "{\"text\": \"%s birch\", \"label\": 1}".formatted(prompt),
                "{\"prompt\": \"%s\", \"choices\": [\"elder\", \"birch . elder\", \"birch\"], \"answer\": \"birch\"}"
                        .formatted(prompt),
                "{\"prompt\": \"%s\", \"answer\": \"birch\", \"generated\": \"birch . elder\"}".formatted(prompt),
                "{\"text\": \"lea has the gray key . hal has the red key .\", \"label\": 0}",
                "{\"prompt\": \"%s\", \"choices\": [\"3\", \"birch\"], \"answer\": \"birch\"}".formatted(prompt));
        Path texts = Files.write(folder.resolve("texts.jsonl"),
                Stream.concat(Files.readAllLines(questions).stream(), others.stream()).toList());
        assertSameBytes((request, out) -> DemoRuns.finish(
                Spectra.open(new SpectraRequest(request, texts.toString(), 5, SpectraRequest.PerSample.MEAN,
                        Answering.DEFAULT.withMaxNewTokens(1), 0, false, SpectraRequest.metrics(5, Metric.all(5)),
                        SpectraView.PUBLISHED.drawn(), SpectraView.PUBLISHED, false,
                        PerToken.parse(Optional.of("entropy,column_sum"), Optional.of("0.1,11.3"))),
                        InputStream.nullInputStream()),
                out, spectra -> {
                    spectra.observe(Progress.SILENT);
                    return spectra.write(Progress.SILENT);
                }));
    }

    @Test
    void saliency() throws IOException {
        Path texts = first("grounding.jsonl", 8);
        assertSameBytes((request, out) -> DemoRuns.finish(
                Saliency.open(new SaliencyRequest(request, Optional.empty(), Optional.empty(), Join.AUTO, Optional.empty(),
                        Optional.of(texts.toString()), true, new SaliencyRequest.Objective.Loss(),
                        SaliencyRequest.View.DEFAULT, SaliencyRequest.THRESHOLD,
                        new SaliencyRequest.Ablation(List.of(new HeadName(1, 2), new HeadName(7, 0)), 3, 1)),
                        InputStream.nullInputStream()), out,
                saliency -> {
                    saliency.observe(Progress.SILENT);
                    saliency.enlarge(Progress.SILENT);
                    return saliency.write();
                }));
    }

    @Test
    void functions() throws IOException {
        List<String> lines = Files.readAllLines(DATA.resolve("functions.jsonl"));
        Path texts = Files.write(folder.resolve("functions.jsonl"), Stream.of("train", "test")
                .flatMap(split -> Stream.of("Knowledge Recall", "Retrieval").flatMap(function -> lines.stream()
                        .filter(line -> line.contains(split) && line.contains(function)).limit(4)))
                .toList());
        assertSameBytes((request, out) -> DemoRuns.finish(
                Functions.open(FunctionsRequest.of(request, texts.toString())
                        .withAblation(new FunctionsRequest.Ablation(Optional.of(5), 0, 1)), InputStream.nullInputStream()),
                out, functions -> {
                    functions.observe(Progress.SILENT);
                    functions.train(Progress.SILENT);
                    functions.ablate(Progress.SILENT);
                    return functions.write();
                }));
    }

    @Test
    void gates() throws IOException {
        GateTask task = GateTask.parse("Math=" + first("math.jsonl", 6));
        assertSameBytes((request, out) -> DemoRuns.finish(
                Gates.open(new GatesRequest(request, List.of(task), Join.AUTO, 2,
                        GatesRequest.Schedule.parseList("2,1,1", GatesRequest.RATES), 4, GatesRequest.LAMBDA,
                        GatesRequest.Regulariser.MEAN, Double.POSITIVE_INFINITY, GatesRequest.SCORE,
                        new GatesRequest.Check(2, 2), 0, 0, true), InputStream.nullInputStream()),
                out, gates -> {
                    gates.fit(Progress.SILENT);
                    return gates.write();
                }));
    }
}
