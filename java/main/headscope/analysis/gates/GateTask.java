package headscope.analysis.gates;

import headscope.analysis.InputException;

import java.util.List;
import java.util.Optional;

/**
 * Texts that masks are fitted to.
 *
 * @param name   of the task
 * @param texts  whose answers are to stay likely; a path of JSON lines, or "-"
 * @param forget of a contrast: texts whose answers are to become unlikely, line by line beside the others
 */
public record GateTask(String name, String texts, Optional<String> forget) {
    private static final String NAME = "[\\p{L}\\p{N}][\\p{L}\\p{N}_-]*";

    public GateTask {
        if (!name.matches(NAME)) {
            throw new InputException("a task is called by letters, digits, - and _, not \"%s\"".formatted(name));
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

    /** What remains after forgetting, not what an answer needs: one fit instead of three. */
    boolean isContrast() {
        return forget.isPresent();
    }

    /** What is fitted to it, in order. */
    List<GateFit> fits() {
        return isContrast() ? List.of(GateFit.CONTRAST) : List.of(GateFit.FREE, GateFit.OPEN, GateFit.SHUT);
    }
}
