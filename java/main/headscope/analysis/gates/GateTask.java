package headscope.analysis.gates;

import headscope.analysis.InputException;

import java.util.List;
import java.util.Optional;

/**
 * A task that gates are fitted to.
 *
 * @param texts  texts whose answers are to stay likely; a path, or "-"
 * @param forget in a contrast, texts whose answers are to become unlikely; paired with the others line by line
 */
public record GateTask(String name, String texts, Optional<String> forget) {
    private static final String NAME = "[\\p{L}\\p{N}][\\p{L}\\p{N}_-]*";

    public GateTask {
        if (!name.matches(NAME)) {
            throw new InputException("a task's name may contain only letters, digits, - and _, not \"%s\"".formatted(name));
        }
    }

    /** @param given NAME=FILE */
    public static GateTask parse(String given) {
        int equals = given.indexOf('=');
        if (equals < 1 || equals == given.length() - 1) {
            throw new InputException("--task must be NAME=FILE, such as Math=math.jsonl, not \"%s\"".formatted(given));
        }
        return new GateTask(given.substring(0, equals), given.substring(equals + 1), Optional.empty());
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
