package headscope.timing;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * A performance target and its measured value.
 *
 * @param atMost   whether the target is an upper bound instead of a lower bound
 * @param measured empty if it was not measured or there is nothing to compare with
 */
public record Target(String what, boolean atMost, double required, String unit, OptionalDouble measured) {
    static Target atLeast(String what, double required, String unit, OptionalDouble measured) {
        return new Target(what, false, required, unit, measured);
    }

    static Target atMost(String what, double required, String unit, OptionalDouble measured) {
        return new Target(what, true, required, unit, measured);
    }

    public boolean isReached() {
        return measured.isPresent() && (atMost ? measured.getAsDouble() <= required : measured.getAsDouble() >= required);
    }

    /** One line per target, as Markdown. */
    public static String table(List<Target> targets) {
        StringBuilder table = new StringBuilder("| what | target | measured | |\n|---|---|---|---|\n");
        targets.forEach(target -> table.append(target.row()));
        return table.toString();
    }

    private String row() {
        String bound = "%s %s %s".formatted(atMost ? "at most" : "at least", plain(required), unit);
        if (measured.isEmpty()) {
            return "| %s | %s | not measured | |\n".formatted(what, bound);
        }
        double percent = 100 * Math.abs(measured.getAsDouble() / required - 1);
        return String.format(Locale.ROOT, "| %s | %s | %.4g %s | %s by %.1f %% |\n", what, bound,
                measured.getAsDouble(), unit, isReached() ? "reached" : "MISSED", percent);
    }

    private static String plain(double number) {
        return BigDecimal.valueOf(number).stripTrailingZeros().toPlainString();
    }
}
