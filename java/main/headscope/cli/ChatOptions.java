package headscope.cli;

import headscope.analysis.Prompting;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How chats are rendered and prompts are tokenized. */
final class ChatOptions {
    @Option(names = "--system", paramLabel = "TEXT",
            description = "System message for chats without one. A chat is a list \"messages\" of {\"role\", \"content\"} in place of"
                    + " \"prompt\" or \"text\", rendered with the model's chat template.")
    Optional<String> system = Optional.empty();

    @Option(names = "--no-special-tokens",
            description = "Do not let the tokenizer add special tokens: for chat templates that contain them.")
    boolean noSpecialTokens;

    @Option(names = "--date", paramLabel = "DATE",
            description = "Date for chat templates that contain one, as YYYY-MM-DD, or as YYYY-MM-DDTHH:MM:SS for those that"
                    + " contain the time (default: today).")
    Optional<String> date = Optional.empty();

    Prompting prompting() {
        return Prompting.of(system, !noSpecialTokens, date);
    }
}
