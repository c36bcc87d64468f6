package headscope.cli;

import java.util.List;
import java.util.stream.Collectors;

/** Commands written so that a shell takes them apart again. */
final class ShellWords {
    private ShellWords() {}

    static String joined(List<String> words) {
        return words.stream()
                .map(word -> word.matches("[\\w@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'")
                .collect(Collectors.joining(" "));
    }
}
