package headscope.picture;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** File names of any texts: letters, digits, dots, - and _ of every script. */
final class FileNames {
    private static final String OTHERS = "[^\\p{L}\\p{M}\\p{N}._-]+";

    /** File systems allow 255 bytes; prefix, number and ending take the rest. */
    private static final int MAX_BYTES = 120;

    private FileNames() {}

    /** One name per text, all different; equal ones get a number. */
    static List<String> unique(List<String> texts) {
        List<String> names = new ArrayList<>();
        for (String text : texts) {
            String name = shortened(text.replaceAll(OTHERS, "_"));
            String free = name;
            for (int number = 2; names.contains(free); number++) {
                free = name + "-" + number;
            }
            names.add(free);
        }
        return List.copyOf(names);
    }

    private static String shortened(String name) {
        int end = name.length();
        while (name.substring(0, end).getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
            end = name.offsetByCodePoints(end, -1);
        }
        return name.substring(0, end);
    }
}
