package headscope.cli;

import headscope.analysis.RunRequest;
import headscope.analysis.functions.FunctionsRequest;
import headscope.analysis.gates.GateTask;
import headscope.analysis.gates.GatesRequest;
import headscope.analysis.saliency.SaliencyRequest;
import headscope.analysis.spectra.SpectraRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The analyses of the demo checkpoint. Each request names the command that repeats it. */
final class DemoRequests {
    /** Set by the launcher. */
    static final Path HOME = Path.of(System.getProperty("headscope.home", "."));

    static final Path MODEL = HOME.resolve("models/demo");
    private static final String SENTENCE = "<CHI> painted a picture of a horse <CHI> my favorite animal is the";
    private static final String GROUPS = "0-6:<ENV>,7-12:<LAN>";

    private DemoRequests() {}

    static SpectraRequest spectra(Path out) {
        String texts = data("qa");
        return SpectraRequest.of(run(out, "spectra", "--texts", texts, "--max-new-tokens", "1"), texts)
                .withMaxNewTokens(1);
    }

    static SaliencyRequest saliency(Path out) {
        return SaliencyRequest.of(
                        run(out, "saliency", "--text", SENTENCE, "--groups", GROUPS, "--objective",
                                "logit-difference:cow", "--skip-first"),
                        SENTENCE)
                .withGroups(GROUPS)
                .withObjective(new SaliencyRequest.Objective.LogitDifference("cow"))
                .withView(SaliencyRequest.View.DEFAULT.withoutFirst());
    }

    static FunctionsRequest functions(Path out) {
        String texts = data("functions");
        return FunctionsRequest.of(run(out, "functions", "--texts", texts, "--mask", "elbow"), texts)
                .withAblation(FunctionsRequest.Ablation.DEFAULT);
    }

    static GatesRequest gates(Path out) {
        GateTask math = new GateTask("Math", data("math"), Optional.empty());
        GateTask syntax = new GateTask("Syntax", data("syntax"), Optional.empty());
        return GatesRequest.quick(
                run(out, "gates", "--task", "Math=" + math.texts(), "--task", "Syntax=" + syntax.texts(), "--quick"),
                List.of(math, syntax));
    }

    private static String data(String name) {
        return HOME.resolve("data/" + name + ".jsonl").toString();
    }

    private static RunRequest run(Path out, String analysis, String... options) {
        List<String> arguments = new ArrayList<>(List.of(analysis, "--model", MODEL.toString()));
        arguments.addAll(List.of(options));
        arguments.addAll(List.of("--out", out.toString(), "--overwrite"));
        return new RunRequest(MODEL, out, new DeviceOptions().choice(), false, true, ShellCommand.of(arguments));
    }
}
