package headscope.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextFileTest {
    private static final String FORMS =
            "{\"prompt\": \"...\", \"answer\": \"...\"} or {\"text\": \"...\", \"label\": 0 or 1}";
    private static final String GOOD = "{\"text\": \"a\", \"label\": 0}\n";

    @TempDir
    private Path folder;

    private TextFile read(String content) throws IOException {
        Path file = Files.writeString(folder.resolve("texts.jsonl"), content);
        return TextFile.read(file.toString(), InputStream.nullInputStream());
    }

    private void rejects(String message, String content) {
        assertEquals(folder.resolve("texts.jsonl") + ": " + message,
                assertThrows(InputException.class, () -> read(content)).getMessage());
    }

    @Test
    void readsBothForms() throws IOException {
        TextFile texts = read("""
                {"prompt": "Where?", "answer": "Here", "function": "Retrieval"}

                {"text": "höher \\u2603", "label": 1}\r
                """);
        assertEquals(
                List.of(new Text.Question(1, "Where?", List.of("Here")), new Text.Labelled(3, "höher ☃", 1)), texts.texts());
    }

    @Test
    void aByteOrderMarkIsSkipped() throws IOException {
        String line = "{\"text\": \"a\", \"label\": 1}\n";
        assertEquals(read(line).texts(), read("\ufeff" + line).texts());
    }

    @Test
    void acceptsEmptyPromptsAndAnswers() throws IOException {
        assertEquals(List.of(new Text.Question(1, "", List.of(""))), read("{\"prompt\": \"\", \"answer\": \"\"}").texts());
    }

    /** Lines are counted from 1, including blank ones. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"prompt": "a"}                                 | must be FORMS
            {"answer": "a"}                                 | must be FORMS
            {"text": "a"}                                   | must be FORMS
            {"text": "a", "prompt": "a", "answer": "b"}     | must be FORMS
            {"prompt": "a", "text": "a", "label": 1}        | must be FORMS
            {}                                              | must be FORMS
            []                                              | must be FORMS
            "text"                                          | must be FORMS
            7                                               | must be FORMS
            {"text": "a", "label": 2}                       | label must be 0 or 1, not 2
            {"text": "a", "label": -1}                      | label must be 0 or 1, not -1
            {"text": "a", "label": 1.0}                     | label must be 0 or 1, not 1.0
            {"text": "a", "label": "1"}                     | label must be 0 or 1, not "1"
            {"text": "a", "label": true}                    | label must be 0 or 1, not true
            {"text": "a", "label": null}                    | label must be 0 or 1, not null
            {"text": 1, "label": 1}                         | text must be a string
            {"prompt": null, "answer": "a"}                 | prompt must be a string
            {"prompt": "a", "answer": 1}                    | answer must be a string
            {"prompt": "a", "answer": ["a", 1]}             | answer must be a string or a list of strings
            {"prompt": "a", "answer": []}                   | answer is an empty list; give at least one string
            {"text": "a", "label": 1                        | is not JSON (column 25); a line is FORMS
            {text: "a"}                                     | is not JSON (column 2); a line is FORMS
            """)
    void rejectsAMalformedLine(String line, String rule) {
        rejects("line 3: " + rule.replace("FORMS", FORMS), GOOD + "\n" + line + "\n" + GOOD);
    }

    @Test
    void severalAnswersOfOnePrompt() throws IOException {
        assertEquals(List.of(new Text.Question(1, "2+2=", List.of("4", "four"))),
                read("{\"prompt\": \"2+2=\", \"answer\": [\"4\", \"four\"]}").texts());
    }

    @Test
    void rejectsAFileWithoutTexts() {
        rejects("contains no texts; a line is " + FORMS, "");
        rejects("contains no texts; a line is " + FORMS, "\n  \n");
    }

    @Test
    void rejectsInvalidUtf8() throws IOException {
        Path file = Files.write(folder.resolve("texts.jsonl"), new byte[] {'{', (byte) 0xff, '}'});
        assertEquals(file + ": line 1: is not UTF-8; save the file as UTF-8", assertThrows(InputException.class,
                () -> TextFile.read(file.toString(), InputStream.nullInputStream())).getMessage());
    }

    @Test
    void rejectsAMissingFile() {
        String missing = folder.resolve("none").toString();
        assertEquals(missing + ": no such file; give a file of JSON lines", assertThrows(InputException.class,
                () -> TextFile.read(missing, InputStream.nullInputStream())).getMessage());
        assertThrows(InputException.class, () -> TextFile.read(folder.toString(), InputStream.nullInputStream()));
    }

    @Test
    void readsStandardInput() throws IOException {
        InputStream piped = new ByteArrayInputStream(GOOD.getBytes(StandardCharsets.UTF_8));
        TextFile texts = TextFile.read("-", piped);
        assertEquals("standard input", texts.name());
        assertEquals(read(GOOD).texts(), texts.texts());
        assertEquals(read(GOOD).file().digest(), texts.file().digest());
        InputStream bad = new ByteArrayInputStream("{}".getBytes(StandardCharsets.UTF_8));
        assertEquals("standard input: line 1: must be " + FORMS,
                assertThrows(InputException.class, () -> TextFile.read("-", bad)).getMessage());
    }

    /** The example of FIPS 180-2. */
    @Test
    void computesSha256() {
        assertEquals("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                Digest.of("abc".getBytes(StandardCharsets.US_ASCII)));
    }

    @Test
    void takesTheFirstTexts() throws IOException {
        TextFile texts = read(GOOD + GOOD.replace('0', '1') + GOOD);
        assertEquals(3, texts.first(0).texts().size());
        assertEquals(2, texts.first(2).texts().size());
        assertEquals(3, texts.first(9).texts().size());
        assertEquals(texts.file().digest(), texts.first(2).file().digest());
    }

    @Test
    void rejectsLabelsOfOneClass() throws IOException {
        TextFile texts = read(GOOD + GOOD);
        assertEquals(folder.resolve("texts.jsonl") + ": all 2 texts have label 0; a test needs both classes",
                assertThrows(InputException.class, texts::requireBothLabels).getMessage());
        read(GOOD + GOOD.replace('0', '1')).requireBothLabels();
        read("{\"prompt\": \"a\", \"answer\": \"b\"}").requireBothLabels();
    }
}
