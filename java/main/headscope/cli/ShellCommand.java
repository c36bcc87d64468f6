package headscope.cli;

import java.util.List;
import java.util.stream.Collectors;

/** Writes a command so that a shell splits it into the same words again. */
final class ShellCommand {
    private ShellCommand() {}

    /** @param arguments of the program */
    static String of(List<String> arguments) {
        return "headscope " + arguments.stream().map(ShellCommand::quoted).collect(Collectors.joining(" "));
    }

    /** One word, in single quotes if it contains anything that a shell may interpret. */
    static String quoted(String word) {
        return word.matches("[\\w@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
