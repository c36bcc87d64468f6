package headscope.analysis.gates;

import static headscope.analysis.InputException.require;

import headscope.analysis.InputException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A task that gates are fitted to.
 *
 * @param texts  texts whose answers are to stay likely; a path, or "-"
 * @param forget in a contrast, texts whose answers are to become unlikely; paired with the others line by line
 */
public record GateTask(String name, String texts, Optional<String> forget) {
    public GateTask {
        require(!name.isBlank(), "a task needs a name: --task NAME=FILE, such as Math=math.jsonl");
    }

    /** @param given NAME=FILE; a name may contain "=" if what follows its last one is a file */
    public static GateTask parse(String given) {
        int equals = given.indexOf('=');
        for (int next = equals; next >= 0; next = given.indexOf('=', next + 1)) {
            if (isFile(given.substring(next + 1))) {
                equals = next;
                break;
            }
        }
        if (equals < 1 || equals == given.length() - 1) {
            throw new InputException("--task must be NAME=FILE, such as Math=math.jsonl, not \"%s\"".formatted(given));
        }
        return new GateTask(given.substring(0, equals), given.substring(equals + 1), Optional.empty());
    }

    private static boolean isFile(String path) {
        try {
            return Files.isRegularFile(Path.of(path));
        } catch (InvalidPathException _) {
            return false;
        }
    }

    /** A contrast has one fit instead of three: it forgets one answer and retains the other. */
    boolean isContrast() {
        return forget.isPresent();
    }

    /** The fits of the task, in order. */
    List<GateFit> fits() {
        return isContrast() ? List.of(GateFit.CONTRAST) : List.of(GateFit.FREE, GateFit.OPEN, GateFit.SHUT);
    }
}
