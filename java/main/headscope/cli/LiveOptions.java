package headscope.cli;

import static headscope.analysis.InputException.rejecting;
import static headscope.analysis.InputException.require;

import headscope.analysis.InputException;
import headscope.analysis.Prompting;
import headscope.analysis.watch.WatchRequest;
import headscope.metric.Metric;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of {@code live} that choose the model, its text and what is measured. */
final class LiveOptions {
    private static final String DEMO_PROMPT =
            "the capital of boria is birch . the capital of cania is cedar . the capital of elvia is";

    /** Slow enough to see each token of a text that would be complete within a second. */
    private static final double DEMO_RATE = 8;

    @Option(names = "--model", paramLabel = "DIR",
            description = "Model folder in Hugging Face format: config.json, tokenizer.json, *.safetensors.")
    Optional<Path> model = Optional.empty();

    @Option(names = "--prompt", paramLabel = "TEXT", description = "The text that the model continues.")
    Optional<String> prompt = Optional.empty();

    @Option(names = "--prompt-file", paramLabel = "FILE", description = "File with the prompt, in UTF-8.")
    Optional<Path> promptFile = Optional.empty();

    @Option(names = "--chat",
            description = "The prompt is a user's message, which the model's chat template makes a text.")
    boolean chat;

    @Mixin
    ChatOptions chats = new ChatOptions();

    @Option(names = "--demo", description = "Use the demo checkpoint, and a prompt that it knows.")
    boolean demo;

    @Option(names = "--metrics", paramLabel = "LIST",
            description = "Metrics of every head after every token (default: ${DEFAULT-VALUE}).")
    String metrics = WatchRequest.METRICS.stream().map(Metric::key).collect(Collectors.joining(", "));

    @Option(names = "--cells", paramLabel = "N",
            description = "Each head's thumbnail has N x N cells; a longer text is pooled (default: ${DEFAULT-VALUE}).")
    int cells = WatchRequest.CELLS;

    @Option(names = "--max-new-tokens", paramLabel = "N",
            description = "Maximum number of new tokens after a prompt (default: ${DEFAULT-VALUE}).")
    int maxNewTokens = WatchRequest.MAX_NEW_TOKENS;

    @Mixin
    SamplingOptions sampling = new SamplingOptions();

    @Option(names = "--seed", paramLabel = "N", description = "Seed for sampling (default: ${DEFAULT-VALUE}).")
    long seed;

    @Option(names = "--rate", paramLabel = "N", showDefaultValue = Visibility.NEVER,
            description = "At most N new tokens per second (default: as many as the model gives; with --demo: 8).")
    Optional<Double> rate = Optional.empty();

    /** Whether the command line names a model or a text. */
    boolean chooseModel() {
        return demo || chat || model.isPresent() || prompt.isPresent() || promptFile.isPresent();
    }

    Path model() {
        require(!(demo && model.isPresent()), "--demo has a model of its own: leave out --model, or --demo");
        return model.or(() -> demo ? Optional.of(DemoRequests.MODEL) : Optional.empty()).orElseThrow(
                () -> new InputException("--model is missing: give the folder of a model, or --demo"));
    }

    /** Not empty. */
    String prompt() {
        require(prompt.isEmpty() || promptFile.isEmpty(), "--prompt and --prompt-file exclude each other: give one of them");
        String text = promptFile.map(LiveOptions::read).or(() -> prompt)
                .or(() -> demo ? Optional.of(DEMO_PROMPT) : Optional.empty())
                .orElseThrow(() -> new InputException("--prompt is missing: give the text that the model continues"));
        require(!text.isEmpty(), promptFile.map(file -> file + ": empty; write a prompt into it")
                .orElse("--prompt is empty: give the text that the model continues"));
        return text;
    }

    Prompting prompting() {
        require(chat || chats.system.isEmpty(), "--system is the system message of a chat: add --chat");
        return chats.prompting();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file).stripTrailing();
        } catch (CharacterCodingException problem) {
            throw new InputException(file + ": not in UTF-8");
        } catch (IOException problem) {
            throw new UncheckedIOException(problem);
        }
    }

    /** @param seen whether somebody watches the demo, who needs time */
    WatchRequest request(boolean seen) {
        return new WatchRequest(
                rejecting(() -> Metric.parseList(metrics, Metric.ALL)), cells, sampling.sampler(),
                maxNewTokens, seed,
                rate.orElse(demo && seen ? DEMO_RATE : Double.POSITIVE_INFINITY));
    }
}
