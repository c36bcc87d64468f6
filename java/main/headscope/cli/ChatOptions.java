package headscope.cli;

import headscope.analysis.Prompting;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How messages become prompts, and prompts tokens. */
final class ChatOptions {
    @Option(names = "--system", paramLabel = "TEXT",
            description = "System message of chats that have none. A chat is a list \"messages\" of {\"role\", \"content\"} in place of"
                    + " \"prompt\" or \"text\", which the model's chat template makes a text.")
    Optional<String> system = Optional.empty();

    @Option(names = "--no-special-tokens",
            description = "The tokenizer adds no special tokens to texts, for chat templates that write them.")
    boolean noSpecialTokens;

    @Option(names = "--date", paramLabel = "DATE",
            description = "Date that chat templates write, as YYYY-MM-DD (default: today).")
    Optional<String> date = Optional.empty();

    Prompting prompting() {
        return Prompting.of(system, !noSpecialTokens, date);
    }
}
