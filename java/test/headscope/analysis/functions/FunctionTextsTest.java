package headscope.analysis.functions;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import headscope.analysis.Entries;
import headscope.analysis.Fields;
import headscope.analysis.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FunctionTextsTest {
    @TempDir
    private Path folder;

    static String line(String function, String split) {
        return "{\"prompt\": \"a\", \"answer\": \"b\", \"function\": \"%s\", \"split\": \"%s\"}"
                .formatted(function, split);
    }

    private FunctionTexts read(String... lines) throws IOException {
        Path file = Files.write(folder.resolve("texts.jsonl"), List.of(lines));
        return FunctionTexts.of(
                Entries.read(file.toString(), InputStream.nullInputStream(), Fields.SAME, FunctionTexts.FORM));
    }

    private void rejects(String message, String... lines) {
        assertEquals(folder.resolve("texts.jsonl") + ": " + message,
                assertThrows(InputException.class, () -> read(lines)).getMessage());
    }

    /** Published functions in the published order, then others in the order of the file. */
    @Test
    void listsPublishedFunctionsBeforeOthers() throws IOException {
        FunctionTexts texts = read(
                line("Zeal", "train"), line("Inference", "train"), line("Art", "test"), line("Retrieval", "test"),
                line("Zeal", "test"), line("Inference", "test"), line("Art", "train"), line("Retrieval", "train"),
                line("Art", "train"));
        assertEquals(List.of("Retrieval", "Inference", "Zeal", "Art"), texts.functions());
        assertArrayEquals(new int[] {2, 3, 4, 5}, texts.split(true));
        assertArrayEquals(new int[] {0, 1, 6, 7, 8}, texts.split(false));
        assertArrayEquals(new int[] {6, 8}, texts.chosen(false, 3));
        assertArrayEquals(new int[] {3, 0, 2, 1}, texts.functions(texts.split(true)));
        assertEquals(3, texts.mostFrequent());
    }

    @Test
    void rejectsIncompleteLines() {
        rejects("line 1: function is missing; if it has another name in the file, give --fields NAME=function", "{\"prompt\": \"a\", \"answer\": \"b\", \"split\": \"test\"}");
        rejects("line 1: split is missing; if it has another name in the file, give --fields NAME=split", "{\"prompt\": \"a\", \"answer\": \"b\", \"function\": \"c\"}");
        rejects("line 2: split must be \"train\" or \"test\", not \"dev\"", line("a", "train"), line("a", "dev"));
        rejects("line 1: \"function\" must not be blank, nor the name of the first columns of heads.csv, \"layer\" and \"head\", but is \"layer\"", line("layer", "train"));
        rejects("line 1: \"function\" must not be blank, nor the name of the first columns of heads.csv, \"layer\" and \"head\", but is \" \"", line(" ", "train"));
    }

    @Test
    void requiresTwoFunctionsWithBothSplits() {
        rejects("all 2 texts need a; a probe needs two functions", line("a", "train"), line("a", "test"));
        rejects("no text of b has split \"test\"; each function needs both",
                line("a", "train"), line("a", "test"), line("b", "train"));
        rejects("no text of a has split \"train\"; each function needs both",
                line("a", "test"), line("b", "train"), line("b", "test"));
    }
}
