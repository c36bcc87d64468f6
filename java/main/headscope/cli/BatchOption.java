package headscope.cli;

import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Option;

/** The option that sizes the batches of texts. */
final class BatchOption {
    @Option(names = "--batch-tokens", showDefaultValue = Visibility.NEVER, paramLabel = "N",
            description = "Maximum number of tokens of several texts that pass through the model together; a longer text"
                    + " passes alone. Memory grows with it. On the CPU results do not depend on it; on a GPU their last"
                    + " digits may (default: 2048 on the CPU; 16384 on a GPU, halved where its memory is too small).")
    private Optional<Integer> tokens = Optional.empty();

    OptionalInt tokens() {
        return tokens.map(OptionalInt::of).orElseGet(OptionalInt::empty);
    }
}
