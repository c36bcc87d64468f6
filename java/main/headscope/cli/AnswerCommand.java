package headscope.cli;

import headscope.analysis.RunRequest;
import headscope.analysis.answers.Answers;
import headscope.analysis.answers.AnswersRequest;
import headscope.analysis.answers.AnswersSummary;
import headscope.tensor.Printable;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Generates answers and grades them, without measuring heads. */
@Command(
        name = "answer",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        customSynopsis = "headscope answer --model DIR --texts FILE --out FILE.jsonl [OPTIONS]",
        description = {
            "Generates and grades answers without measuring heads.",
            "The output file contains each text with the model's answer (generated), the answer's tokens"
                    + " (generated_tokens) and its label. Check the answers and edit labels if necessary; spectra then reads"
                    + " these answers instead of generating them."
        },
        footer = {
            "",
            "Examples:",
            "  ./headscope answer --model models/demo --texts data/qa.jsonl \\",
            "      --max-new-tokens 1 --out answers.jsonl",
            "  ./headscope answer --model ~/models/Qwen3-0.6B --texts qa.csv \\",
            "      --fields question=prompt --temperature 0.7 --samples 10 \\",
            "      --out samples.jsonl",
            "  ./headscope spectra --model models/demo --texts answers.jsonl"
        })
final class AnswerCommand implements Callable<Integer> {
    private static final int PROMPT = 40;
    private static final int ANSWER = 24;

    @Spec
    CommandSpec spec;

    @Option(names = "--model", paramLabel = "DIR", required = true,
            description = "Model folder in Hugging Face format: config.json, tokenizer.json, *.safetensors.")
    Path model;

    @Option(names = "--texts", paramLabel = "FILE", required = true,
            description = "JSON lines, a JSON array or CSV of {\"prompt\", \"answer\"} (a list of answers accepts each of them),"
                    + " {\"prompt\", \"choices\", \"answer\"} (the model chooses the most probable one) or {\"prompt\","
                    + " \"label\"}; - reads standard input.")
    String texts;

    @Option(names = "--out", paramLabel = "FILE.jsonl", required = true, description = "File to write.")
    Path out;

    @Mixin
    AnsweringOptions answering = new AnsweringOptions();

    @Option(names = "--samples", paramLabel = "N",
            description = "Number of answers per prompt, one line each, at most " + AnswersRequest.MAX_SAMPLES
                    + "; more than 1 needs --temperature above 0. Sample s,"
                    + " counted from 0, has the seed --seed + s (default: ${DEFAULT-VALUE}).")
    int samples = 1;

    @Option(names = "--seed", paramLabel = "N", description = "Seed for sampling (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(names = "--limit", showDefaultValue = Visibility.NEVER, paramLabel = "N",
            description = "Read only the first N texts (default: all).")
    Optional<Integer> limit = Optional.empty();

    @Mixin
    FieldsOption fields = new FieldsOption();

    @Mixin
    ChatOptions chat = new ChatOptions();

    @Mixin
    DeviceOptions device = new DeviceOptions();

    @Option(names = "--resume", description = "Resume an interrupted command with the same --out.")
    boolean resume;

    @Option(names = "--overwrite", description = "Replace an existing file.")
    boolean overwrite;

    @Override
    public Integer call() {
        List<String> arguments = spec.commandLine().getParent().getParseResult().originalArgs();
        AnswersRequest request = new AnswersRequest(
                new RunRequest(model, out, device.choice(), resume, overwrite, ShellCommand.of(arguments), fields.parse(),
                        chat.prompting(), OptionalInt.empty()),
                texts, answering.answering(seed), samples, RunOptions.limit(limit));
        try (Answers answers = Answers.open(request, System.in)) {
            answers.notices().sendTo(HeadscopeCommand::warn);
            AnalysisCommand.resumableStage(out, "answering", "prompts", "answer", answers::answer);
            print(answers.publish(), System.out);
        }
        return 0;
    }

    private void print(AnswersSummary summary, PrintStream out) {
        out.printf("%n%-" + PROMPT + "s  %-" + ANSWER + "s  %-" + ANSWER + "s  label%n", "prompt", "answer", "expected");
        summary.first().forEach(example -> out.printf("%-" + PROMPT + "s  %-" + ANSWER + "s  %-" + ANSWER + "s  %d%n",
                Printable.line(example.prompt(), PROMPT), Printable.line(example.answer(), ANSWER),
                Printable.line(example.expected(), ANSWER), example.label()));
        out.printf(Locale.ROOT, "%n%d answers to %d prompts: %d right (label 0), %d wrong (label 1), %.1f %% right%s%n",
                summary.answers(), summary.prompts(), summary.label0(), summary.label1(),
                100.0 * summary.label0() / summary.answers(),
                summary.given() == 0 ? "" : "; labels given in the file: " + summary.given());
        if (samples > 1) {
            out.printf("%d prompts have at least one right answer%n", summary.solved());
        }
        out.printf("%nAnswers: %s%nTo measure them: ./headscope spectra --model %s --texts %s%s%n", this.out,
                ShellCommand.quoted(model.toString()), ShellCommand.quoted(this.out.toString()),
                answering.labelNames.map(names -> " --label-names " + ShellCommand.quoted(names)).orElse("")
                        + (chat.noSpecialTokens ? " --no-special-tokens" : "") + (seed == 0 ? "" : " --seed " + seed));
    }
}
