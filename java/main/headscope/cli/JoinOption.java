package headscope.cli;

import headscope.analysis.Join;
import picocli.CommandLine.Option;

/** The option {@code --join}, which the analyses of prompts with answers share. */
final class JoinOption {
    @Option(names = "--join", paramLabel = "auto|space|none",
            description = "Separator between a prompt (or text) and its answer (or target) if neither has white space there."
                    + " auto inserts a space, except between scripts without spaces between words, after an opening"
                    + " bracket or a sign such as =, and next to anything but letters where the space would become a token"
                    + " of its own (default: ${DEFAULT-VALUE}).")
    Join join = Join.AUTO;
}
