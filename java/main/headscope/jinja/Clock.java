package headscope.jinja;

import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/**
 * {@code strftime_now}: C's strftime in the C locale.
 *
 * @param now the time that the templates see
 */
record Clock(LocalDateTime now) {
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
            case "a" -> name(now.getDayOfWeek()).substring(0, 3);
            case "A" -> name(now.getDayOfWeek());
            case "b", "h" -> name(now.getMonth()).substring(0, 3);
            case "B" -> name(now.getMonth());
            case "p" -> now.getHour() < 12 ? "AM" : "PM";
            default -> now.format(DateTimeFormatter.ofPattern(pattern(directive), Locale.ROOT));
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
            case "H" -> "HH";
            case "I" -> "hh";
            case "M" -> "mm";
            case "S" -> "ss";
            case "F" -> "yyyy-MM-dd";
            case "T" -> "HH:mm:ss";
            case "D" -> "MM/dd/yy";
            default -> throw TemplateException.unsupported("strftime_now with %" + directive);
        };
    }
}
