package headscope.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenTableTest {
    @TempDir
    private Path folder;

    @Test
    void readsWhatItWrote() {
        Path file = folder.resolve("tokens.csv");
        TokenTable table = new TokenTable(
                List.of("<bos>", "\u0120a,b", "\"quoted\"", "line\nbreak", "\u4e2d", ""),
                List.of(new TokenGroup("<ENV>", 1, 3), new TokenGroup("<LAN>", 3, 4), new TokenGroup("c, d", 5, 6)));
        table.write(file);
        assertEquals(table, TokenTable.read(file));
    }

    @Test
    void bytesHaveReadableNames() throws IOException {
        Path file = folder.resolve("tokens.csv");
        new TokenTable(List.of("<bos>", "\u0120the", "\u00E6\u0139", "\u00A5"), List.of()).write(file);
        assertEquals("index,token,group,name\n0,<bos>,,<bos>\n1,\u0120the,,the\n2,\u00E6\u0139,,\\xE6\\x97\n"
                + "3,\u00A5,,\\xA5\n", Files.readString(file));
    }

    @Test
    void readsTablesOfEarlierVersions() throws IOException {
        Path file = folder.resolve("tokens.csv");
        Files.writeString(file, "index,token,group\n0,a,A\n1,b,\n");
        assertEquals(new TokenTable(List.of("a", "b"), List.of(new TokenGroup("A", 0, 1))), TokenTable.read(file));
    }

    @Test
    void rejectsOtherColumns() throws IOException {
        Path file = folder.resolve("tokens.csv");
        Files.writeString(file, "index,token\n0,a\n");
        assertEquals(file + ":1: the columns must be index,token,group,name",
                assertThrows(ResultFormatException.class, () -> TokenTable.read(file)).getMessage());
    }
}
