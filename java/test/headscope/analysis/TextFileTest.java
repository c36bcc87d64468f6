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
import java.util.Optional;
import java.util.OptionalInt;
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
        return TextFile.of(Entries.read(file.toString(), InputStream.nullInputStream(), Fields.SAME, FORMS), LabelNames.NUMBERS);
    }

    private static Text question(TextFile texts, int index, String prompt, String... answers) {
        return new Text.Question(
                texts.file().entries().get(index), prompt, List.of(answers), Optional.empty(), OptionalInt.empty());
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
        assertEquals(List.of(question(texts, 0, "Where?", "Here"),
                new Text.Labelled(texts.file().entries().get(1), "höher ☃", OptionalInt.of(1))), texts.texts());
        assertEquals(List.of("line 1", "line 3"), texts.file().entries().stream().map(Entry::place).toList());
    }

    @Test
    void aByteOrderMarkIsSkipped() throws IOException {
        String line = "{\"text\": \"a\", \"label\": 1}\n";
        assertEquals(read(line).texts(), read("\ufeff" + line).texts());
    }

    @Test
    void acceptsEmptyPromptsAndAnswers() throws IOException {
        TextFile texts = read("{\"prompt\": \"\", \"answer\": \"\"}");
        assertEquals(List.of(question(texts, 0, "", "")), texts.texts());
    }

    /** Lines are counted from 1, including blank ones. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            {"prompt": "a"}                                 | must be FORMS
            {"answer": "a"}                                 | must be FORMS; if fields have other names, give --fields NAME=prompt
            {"text": "a"}                                   | must be FORMS
            {"text": "a", "prompt": "a", "answer": "b"}     | must be FORMS
            {"prompt": "a", "text": "a", "label": 1}        | must be FORMS
            {}                                              | must be FORMS; if fields have other names, give --fields NAME=prompt
            []                                              | must be FORMS
            "text"                                          | must be FORMS
            7                                               | must be FORMS
            {"text": "a", "label": 2}                       | LABEL, not 2
            {"text": "a", "label": -1}                      | LABEL, not -1
            {"text": "a", "label": 1.0}                     | LABEL, not 1.0
            {"text": "a", "label": "yes"}                   | LABEL, not "yes"
            {"text": "a", "label": ""}                      | LABEL, not ""
            {"text": "a", "label": [1]}                     | LABEL, not [1]
            {"text": "a", "label": null}                    | LABEL, not null
            {"prompt": "a", "label": null}                  | LABEL, not null
            {"prompt": "a", "answer": "b", "label": 3}      | LABEL, not 3
            {"prompt": "a", "answer": null}                 | answer must be a string
            {"prompt": "a", "generated": "b"}               | must be FORMS
            {"prompt": "a", "answer": "b", "generated": 3}  | generated must be a string
            {"prompt": "a", "answer": "b", "generated_tokens": [3]} | generated_tokens without generated: add the answer whose tokens they are
            {"prompt": "a", "answer": "b", "generated": "b", "generated_tokens": []} | generated_tokens must be a list of token ids; omit it if they are unknown
            {"prompt": "a", "answer": "b", "generated": "b", "generated_tokens": "3"} | generated_tokens must be a list of token ids; omit it if they are unknown
            {"prompt": "a", "answer": "b", "generated": "b", "generated_tokens": [-3]} | generated_tokens must be a list of token ids
            {"prompt": "a", "answer": "b", "choices": ["b"]} | choices must be a list of at least 2 strings
            {"prompt": "a", "answer": "b", "choices": "b"}  | choices must be a list of at least 2 strings
            {"prompt": "a", "answer": "b", "choices": ["b", 3]} | choices must be a list of strings
            {"prompt": "a", "answer": "b", "choices": ["b", "b"]} | choices contains the same string twice
            {"prompt": "a", "answer": "d", "choices": ["b", "c"]} | answer must be one of the choices, or its index from 0 to 1, not "d"
            {"prompt": "a", "answer": 2, "choices": ["b", "c"]} | answer must be one of the choices, or its index from 0 to 1, not 2
            {"prompt": "a", "answer": -1, "choices": ["b", "c"]} | answer must be one of the choices, or its index from 0 to 1, not -1
            {"prompt": "a", "answer": 0.0, "choices": ["b", "c"]} | answer must be one of the choices, or its index from 0 to 1, not 0.0
            {"prompt": "a", "answer": "0", "choices": ["4", "5"]} | answer must be one of the choices, or its index from 0 to 1, not "0"
            {"prompt": "a", "answer": "b", "choices": ["b", "c"], "generated": "d"} | generated is not one of the choices
            {"prompt": "a", "answer": "b", "text": "c"}     | must be FORMS
            {"text": "a", "label": 1, "answer": "b"}        | "answer" would be ignored beside [label, text]: remove it, or give --fields answer=-
            {"prompt": "a", "answer": "b", "Label": 1}      | "Label" would be ignored; write "label", or give --fields Label=-
            {"text": 1, "label": 1}                         | text must be a string
            {"prompt": null, "answer": "a"}                 | prompt must be a string
            {"prompt": "a", "answer": 1}                    | answer must be a string
            {"prompt": "a", "answer": ["a", 1]}             | answer must be a string or a list of strings
            {"prompt": "a", "answer": []}                   | answer is an empty list; give at least one string
            {"text": "a", "label": 1                        | is not JSON (column 25); a line is FORMS
            {text: "a"}                                     | is not JSON (column 2); a line is FORMS
            """)
    void rejectsAMalformedLine(String line, String rule) {
        rejects("line 3: " + rule.replace("FORMS", FORMS)
                .replace("LABEL", "label must be 0 or 1 (or false or true; other names by --label-names)"), GOOD + "\n" + line + "\n" + GOOD);
    }

    @Test
    void severalAnswersOfOnePrompt() throws IOException {
        TextFile texts = read("{\"prompt\": \"2+2=\", \"answer\": [\"4\", \"four\"]}");
        assertEquals(List.of(question(texts, 0, "2+2=", "4", "four")), texts.texts());
    }

    /** A given label takes precedence; null is none. */
    @Test
    void labelsBesidePrompts() throws IOException {
        assertEquals(List.of(OptionalInt.of(1), OptionalInt.of(0), OptionalInt.empty(), OptionalInt.of(1)), read("""
                {"prompt": "a", "answer": "b", "label": 1}
                {"prompt": "a", "label": false}
                {"prompt": "a", "answer": "b", "label": null}
                {"prompt": "a", "choices": ["b", "c"], "label": "1"}
                """).texts().stream().map(Text::label).toList());
        assertEquals(List.of(), ((Text.Question) read("{\"prompt\": \"a\", \"label\": 0}").texts().getFirst()).answers());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            0       | 0
            1       | 1
            false   | 0
            true    | 1
            "0"     | 0
            "1"     | 1
            "False" | 0
            "True"  | 1
            """)
    void waysToWriteALabel(String written, int label) throws IOException {
        assertEquals(OptionalInt.of(label),
                read("{\"text\": \"a\", \"label\": " + written + "}").texts().getFirst().label());
    }

    @Test
    void labelsByName() throws IOException {
        LabelNames names = LabelNames.parse("correct,hallucinated");
        Path file = Files.writeString(folder.resolve("names.jsonl"), """
                {"text": "a", "label": "correct"}
                {"text": "a", "label": "hallucinated"}
                """);
        assertEquals(List.of(OptionalInt.of(0), OptionalInt.of(1)),
                TextFile.of(Entries.read(file.toString(), InputStream.nullInputStream(), Fields.SAME, FORMS), names).texts().stream()
                        .map(Text::label).toList());
        Files.writeString(file, "{\"text\": \"a\", \"label\": \"Correct\"}");
        assertEquals(file + ": line 1: label must be correct or hallucinated, as --label-names says, not \"Correct\"",
                assertThrows(InputException.class, () -> TextFile.of(Entries.read(file.toString(), InputStream.nullInputStream(), Fields.SAME, FORMS), names)).getMessage());
        Files.writeString(file, "{\"text\": \"a\", \"label\": 2}");
        assertEquals(OptionalInt.of(0), TextFile.of(Entries.read(file.toString(), InputStream.nullInputStream(), Fields.SAME, FORMS), LabelNames.parse("2,5")).texts().getFirst().label());
        for (String bad : List.of("", "one", "a,", ",a", "a,a", "a,b,c")) {
            assertThrows(InputException.class, () -> LabelNames.parse(bad), bad);
        }
    }

    @Test
    void choicesAndTheRightOne() throws IOException {
        assertEquals(List.of(1, 1, 1, 0), read("""
                {"prompt": "a", "choices": ["b", "c"], "answer": "c"}
                {"prompt": "a", "choices": ["b", "c"], "answer": 1}
                {"prompt": "a", "choices": ["b", "c"], "answer": "1"}
                {"prompt": "a", "choices": ["1", "0"], "answer": "1"}
                """).texts().stream().map(text -> ((Text.Choice) text).right().getAsInt()).toList());
    }

    @Test
    void generatedAnswers() throws IOException {
        Text.Question text = (Text.Question) read("""
                {"prompt": "a", "answer": "b", "generated": " b", "generated_tokens": [3, 4]}
                """).texts().getFirst();
        assertEquals(Optional.of(new Text.Generated(" b", List.of(3, 4))), text.generated());
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
                () -> TextFile.of(Entries.read(file.toString(), InputStream.nullInputStream(), Fields.SAME, FORMS), LabelNames.NUMBERS)).getMessage());
    }

    @Test
    void rejectsAMissingFile() {
        String missing = folder.resolve("none").toString();
        assertEquals(missing + ": no such file; give a file of JSON lines, a JSON array or CSV", assertThrows(InputException.class,
                () -> TextFile.of(Entries.read(missing, InputStream.nullInputStream(), Fields.SAME, FORMS), LabelNames.NUMBERS)).getMessage());
        assertThrows(InputException.class, () -> TextFile.of(Entries.read(folder.toString(), InputStream.nullInputStream(), Fields.SAME, FORMS), LabelNames.NUMBERS));
    }

    @Test
    void readsStandardInput() throws IOException {
        InputStream piped = new ByteArrayInputStream(GOOD.getBytes(StandardCharsets.UTF_8));
        TextFile texts = TextFile.of(Entries.read("-", piped, Fields.SAME, FORMS), LabelNames.NUMBERS);
        assertEquals("standard input", texts.name());
        assertEquals(List.of(new Text.Labelled(texts.file().entries().getFirst(), "a", OptionalInt.of(0))), texts.texts());
        assertEquals(read(GOOD).file().digest(), texts.file().digest());
        InputStream bad = new ByteArrayInputStream("{}".getBytes(StandardCharsets.UTF_8));
        assertEquals("standard input: line 1: must be " + FORMS + "; if fields have other names, give --fields NAME=prompt",
                assertThrows(InputException.class, () -> TextFile.of(Entries.read("-", bad, Fields.SAME, FORMS), LabelNames.NUMBERS)).getMessage());
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
        read("{\"prompt\": \"a\", \"answer\": \"b\"}\n{\"prompt\": \"a\", \"label\": 1}").requireBothLabels();
        assertThrows(InputException.class, read("{\"prompt\": \"a\", \"answer\": \"b\", \"label\": 1}")::requireBothLabels);
    }
}
