package headscope.cli;

import headscope.analysis.Prompting;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How messages become prompts, and prompts tokens. */
final class ChatOptions {
    @Option(names = "--system", paramLabel = "TEXT",
            description = "System message of chats (\"messages\") that have none.")
    Optional<String> system = Optional.empty();

    @Option(names = "--no-special-tokens",
            description = "Do not let the tokenizer add special tokens, for chat templates that write them.")
    boolean noSpecialTokens;

    @Option(names = "--date", paramLabel = "DATE",
            description = "Date that a chat template may write, as YYYY-MM-DD (default: today).")
    Optional<String> date = Optional.empty();

    Prompting prompting() {
        return Prompting.of(system, !noSpecialTokens, date);
    }
}
