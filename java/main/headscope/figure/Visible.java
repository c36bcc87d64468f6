package headscope.figure;

import headscope.tensor.Printable;
import java.util.List;

/** Text from the user as it is drawn: in one line, with control and formatting characters as escapes. */
final class Visible {
    private Visible() {}

    static String text(String text) {
        return Printable.line(text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t"));
    }

    static List<String> texts(List<String> texts) {
        return texts.stream().map(Visible::text).toList();
    }
}
