package headscope.picture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class FileNamesTest {
    @Test
    void plainNamesStayAsTheyAre() {
        List<String> names = List.of("Math", "math", "A_1-b.c", "\u65e5\u672c\u8a9e", "\u062d\u0635\u0627\u0646", "\u0939\u093f");
        assertEquals(names, FileNames.unique(names));
    }

    @Test
    void othersAreReplacedAndStayDifferent() {
        assertEquals(List.of("a_b", "a_b-2", "a_b-3", "a_b-2-2", ".._etc_passwd", "_", "_-2", "_x_"),
                FileNames.unique(List.of("a/b", "a b", "a\nb", "a_b-2", "../etc/passwd", "\ud83d\ude00", "<>", "\"x\"")));
    }

    @Test
    void longNamesAreShortenedAtACharacter() {
        String name = FileNames.unique(List.of("\u65e5".repeat(300))).getFirst();
        assertEquals("\u65e5".repeat(40), name);
        assertTrue(("check-" + name + "-12.png").getBytes(StandardCharsets.UTF_8).length < 255);
    }
}
