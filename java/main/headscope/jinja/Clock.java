package headscope.jinja;

import java.time.LocalDate;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.TemporalAccessor;
import java.util.Locale;
import java.util.Optional;

/**
 * {@code strftime_now}: C's strftime in the C locale. The time of day is available only if it is given, because texts would
 * otherwise differ from second to second.
 */
public record Clock(LocalDate date, Optional<LocalTime> time) {
    String format(String format) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%') {
                text.append(c);
                continue;
            }
            boolean unpadded = i + 1 < format.length() && format.charAt(i + 1) == '-';
            i += unpadded ? 2 : 1;
            String directive = i < format.length() ? format.substring(i, i + 1) : "";
            String written = written(directive);
            text.append(unpadded ? written.replaceFirst("^0+(?=.)", "") : written);
        }
        return text.toString();
    }

    private String written(String directive) {
        return switch (directive) {
            case "%" -> "%";
            case "a" -> name(date.getDayOfWeek()).substring(0, 3);
            case "A" -> name(date.getDayOfWeek());
            case "b", "h" -> name(date.getMonth()).substring(0, 3);
            case "B" -> name(date.getMonth());
            case "p" -> needed().getHour() < 12 ? "AM" : "PM";
            case "H", "I", "M", "S", "T" -> written(timePattern(directive), needed());
            default -> written(pattern(directive), date);
        };
    }

    private static String written(String pattern, TemporalAccessor moment) {
        return DateTimeFormatter.ofPattern(pattern, Locale.ROOT).format(moment);
    }

    private LocalTime needed() {
        return time.orElseThrow(() -> new TemplateException(
                "the template uses the time of day: give --date YYYY-MM-DDTHH:MM:SS"));
    }

    private static String timePattern(String directive) {
        return switch (directive) {
            case "H" -> "HH";
            case "I" -> "hh";
            case "M" -> "mm";
            case "S" -> "ss";
            default -> "HH:mm:ss";
        };
    }

    /** The English name, such as Monday. */
    private static String name(Enum<?> one) {
        return one.name().charAt(0) + one.name().substring(1).toLowerCase(Locale.ROOT);
    }

    private static String pattern(String directive) {
        return switch (directive) {
            case "d" -> "dd";
            case "e" -> "ppd";
            case "j" -> "DDD";
            case "m" -> "MM";
            case "y" -> "yy";
            case "Y" -> "yyyy";
            case "F" -> "yyyy-MM-dd";
            case "D" -> "MM/dd/yy";
            default -> throw TemplateException.unsupported("strftime_now with %" + directive);
        };
    }
}
