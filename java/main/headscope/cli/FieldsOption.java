package headscope.cli;

import headscope.analysis.Fields;
import java.util.List;
import picocli.CommandLine.Option;

/** The option {@code --fields} of commands that read a file of texts. */
final class FieldsOption {
    @Option(names = "--fields", paramLabel = "NAME=FIELD", split = ",",
            description = "Read a file of texts with other field names: question=prompt,reference=answer reads question as prompt and"
                    + " reference as answer; NAME=- ignores NAME.")
    List<String> fields = List.of();

    /** @throws headscope.analysis.InputException if a name is malformed, unknown or doubled */
    Fields parse() {
        return Fields.parse(fields);
    }
}
