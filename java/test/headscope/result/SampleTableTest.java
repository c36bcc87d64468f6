package headscope.result;

import static org.junit.jupiter.api.Assertions.assertEquals;

import headscope.result.SampleTable.Sample;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SampleTableTest {
    @TempDir
    private Path folder;

    @Test
    void quotesCells() throws IOException {
        Path file = folder.resolve("samples.csv");
        SampleTable table = new SampleTable(List.of(
                new Sample(0, 12, "true", "he said \"no\", twice", ""),
                new Sample(1, 3, "", "two\nlines", "x")));
        table.write(file);
        assertEquals("""
                index,tokens,label,answer,expected
                0,12,true,"he said ""no"", twice",
                1,3,,"two
                lines",x
                """, Files.readString(file));
        assertEquals(table, SampleTable.read(file));
    }

    /** Columns without values are left out, and tables of earlier versions are read, which have no prompts. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            index,tokens,label,answer,expected           | 0,3,1,a,b
            index,tokens,label,answer,expected,id        | 0,3,1,a,b,q
            index,tokens,label,answer,expected,prompt    | 0,3,1,a,b,p
            index,tokens,label,answer,expected,id,prompt | 0,3,1,a,b,q,p
            """)
    void idsAndPromptsIfThereAreAny(String header, String row) throws IOException {
        Path file = Files.writeString(folder.resolve("samples.csv"), header + "\n" + row + "\n");
        SampleTable table = SampleTable.read(file);
        assertEquals(new SampleTable(List.of(new Sample(
                0, 3, "1", "a", "b", header.contains(",id") ? "q" : "", header.contains("prompt") ? "p" : ""))), table);
        table.write(folder.resolve("again.csv"));
        assertEquals(Files.readString(file), Files.readString(folder.resolve("again.csv")));
    }

    @Test
    void rejectsAMalformedFileByLine() throws IOException {
        Path file = folder.resolve("samples.csv");
        Files.writeString(file, "index,tokens\n");
        rejects(file + ":1: the columns must be index,tokens,label,answer,expected, then possibly id,prompt", file);
        Files.writeString(file, "index,tokens,label,answer,expected\n0,1,,\"a\nb\nc\",\n1,x,,,\n");
        rejects(file + ":5: column tokens: \"x\" is not a whole number", file);
        Files.writeString(file, "index,tokens,label,answer,expected\n0,1,,\n");
        rejects(file + ":2: 4 cells, but 5 columns", file);
    }

    @Test
    void rejectsAnUnpairedSurrogate() {
        Path file = folder.resolve("samples.csv");
        Rejections.assertRejected(IllegalArgumentException.class, file + ": a text with an unpaired surrogate",
                () -> new SampleTable(List.of(new Sample(0, 1, "", "\ud800", ""))).write(file));
    }

    @Property(tries = 300)
    void readsAnyTextAsWritten(@ForAll("texts") List<String> texts) throws IOException {
        SampleTable table = new SampleTable(
                texts.stream().map(text ->
                        new Sample(texts.indexOf(text), text.length(), text, text + text, text)).toList());
        Path file = Files.createTempFile("samples", ".csv");
        try {
            table.write(file);
            assertEquals(table, SampleTable.read(file));
        } finally {
            Files.delete(file);
        }
    }

    @Provide
    Arbitrary<List<String>> texts() {
        return Arbitraries.oneOf(Arbitraries.strings().withChars("a,\"\r\n' #\\\t").ofMaxLength(6),
                Arbitraries.strings().ofMaxLength(9))
                .filter(text -> StandardCharsets.UTF_8.newEncoder().canEncode(text)).list().ofMaxSize(5);
    }

    private static void rejects(String message, Path file) {
        Rejections.assertRejected(ResultFormatException.class, message, () -> SampleTable.read(file));
    }
}
