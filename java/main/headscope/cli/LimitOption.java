package headscope.cli;

import headscope.analysis.InputException;
import java.util.Optional;
import picocli.CommandLine.Help.Visibility;
import picocli.CommandLine.Option;

/** How many texts of a file are read. */
final class LimitOption {
    @Option(names = "--limit", showDefaultValue = Visibility.NEVER, paramLabel = "N",
            description = "Read only the first N texts of a file (default: all).")
    private Optional<Integer> texts = Optional.empty();

    /** 0 for all. */
    int texts() {
        texts.ifPresent(limit -> InputException.require(limit >= 1, "--limit must be at least 1, not " + limit));
        return texts.orElse(0);
    }
}
