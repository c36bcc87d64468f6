package headscope.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
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
import org.junit.jupiter.params.provider.ValueSource;

/** The formats of a file of texts, and other names of fields. */
class EntriesTest {
    private static final String LINES = """
            {"prompt": "a, b", "answer": "\u201eq\u201c"}
            {"prompt": "c\\nd", "answer": "e", "id": "2"}
            """;

    private static final String ARRAY = """
            [{"prompt": "a, b", "answer": "\u201eq\u201c"},
             {"prompt": "c\\nd", "answer": "e",
              "id": "2"}]
            """;

    private static final String CSV = """
            prompt,answer,id
            "a, b",\u201eq\u201c,

            "c
            d",e,2
            """;

    @TempDir
    private Path folder;

    private Entries read(String name, String content, String... fields) throws IOException {
        Path file = Files.writeString(folder.resolve(name), content);
        return Entries.read(file.toString(), InputStream.nullInputStream(), Fields.parse(List.of(fields)), "FORM");
    }

    private static Entries piped(String content) {
        return Entries.read("-", new ByteArrayInputStream(content.getBytes(StandardCharsets.UTF_8)), Fields.SAME, "FORM");
    }

    private static List<JsonNode> values(Entries entries) {
        return entries.entries().stream().map(entry -> (JsonNode) entry.json()).toList();
    }

    private void rejects(String message, String name, String content, String... fields) {
        String found = assertThrows(InputException.class, () -> read(name, content, fields)).getMessage();
        assertEquals(message.replace("FILE", folder.resolve(name).toString()), found);
    }

    @Test
    void formatsAgree() throws IOException {
        List<JsonNode> expected = values(read("texts.jsonl", LINES));
        for (String bom : List.of("", "\ufeff")) {
            assertEquals(expected, values(read("texts.json", bom + ARRAY)));
            assertEquals(expected, values(read("texts.jsonl", bom + ARRAY)));
            assertEquals(expected, values(read("texts.csv", bom + CSV)));
            assertEquals(expected, values(read("texts.CSV", bom + CSV.replace("\n", "\r\n").replace("c\r\n", "c\n"))));
            assertEquals(expected, values(read("texts", bom + CSV)));
            assertEquals(expected, values(read("texts", bom + "\n " + LINES)));
            assertEquals(expected, values(piped(bom + LINES)));
            assertEquals(expected, values(piped(bom + ARRAY)));
            assertEquals(expected, values(piped(bom + CSV)));
        }
    }

    @Test
    void placesOfEntries() throws IOException {
        assertEquals(List.of("line 1", "line 2"), places(read("texts.jsonl", LINES)));
        assertEquals(List.of("entry 1 (line 1)", "entry 2 (line 2)"), places(read("texts.json", ARRAY)));
        assertEquals(List.of("line 2", "line 4"), places(read("texts.csv", CSV)));
    }

    private static List<String> places(Entries entries) {
        return entries.entries().stream().map(Entry::place).toList();
    }

    /** Of all bytes, whatever the format. */
    @ParameterizedTest
    @ValueSource(strings = {LINES, ARRAY, CSV, "\ufeff" + CSV})
    void digestIsThatOfTheFile(String content) {
        assertEquals(Digest.of(content.getBytes(StandardCharsets.UTF_8)), piped(content).digest());
    }

    @Test
    void listsInCells() throws IOException {
        JsonNode row = read("texts.csv", """
                prompt,answer,choices
                [1],"[""x"", ""y""]","[""a"", ""b""]"
                """).entries().getFirst().json();
        assertEquals("[1]", row.get("prompt").textValue());
        assertEquals("[\"x\",\"y\"]", row.get("answer").toString());
        assertEquals("[\"a\",\"b\"]", row.get("choices").toString());
        assertEquals("[sic]", read("texts.csv", "answer\n[sic]\n").entries().getFirst().json().get("answer").textValue());
    }

    @Test
    void malformedArrays() {
        rejects("FILE: line 1, column 10: is not JSON; an entry of the array is FORM", "t.json", "[{\"a\": 1}");
        rejects("FILE: entry 2 (line 2): must be FORM", "t.json", "[{\"a\": 1},\n 7]");
        rejects("FILE: line 2, column 3: has more than one JSON value; an entry of the array is FORM", "t.json", "[{\"a\": 1}]\n  8");
        rejects("FILE: contains no texts; a line is FORM", "t.json", "[]");
        String twice = assertThrows(InputException.class, () -> read("t.json", "[{\"a\": 1, \"a\": 2}]")).getMessage();
        assertTrue(twice.contains("has a key twice: 'a'"), twice);
        String surrogate = assertThrows(InputException.class, () -> read("t.json", "[{\"a\": \"\\ud800\"}]")).getMessage();
        assertTrue(surrogate.contains("has an unpaired surrogate in \"a\""), surrogate);
        String deep = assertThrows(InputException.class, () -> read("t.json", "[".repeat(100_000))).getMessage();
        assertTrue(deep.contains("is nested more than 32 levels deep"), deep);
    }

    @Test
    void malformedCsv() throws IOException {
        rejects("FILE: line 3: 2 cells, but the first line has 3 columns; the file is read as CSV", "t.csv", "a,b,c\n1,2,3\n1,2\n");
        rejects("FILE: line 1: two columns have the name \"a\"", "t.csv", "a,b,a\n1,2,3\n");
        rejects("FILE: line 1: column 2 has no name; the first line of CSV names the columns", "t.csv", "a,,c\n1,2,3\n");
        rejects("FILE: contains no texts; a line is FORM", "t.csv", "a,b\n");
        rejects("FILE: contains no texts; a line is FORM", "t.csv", "");
        for (String quotes : List.of("a\n\"b\" c\n", "a\n\"b\n")) {
            rejects("FILE: line 2: is not CSV: a quote within a quoted cell must be doubled, and the quote that ends a cell"
                    + " must be followed by a comma or a line end", "t.csv", quotes);
        }
        rejects("FILE: line 1: the delimiter of CSV must be a comma, not a semicolon; save the file with commas", "t.csv",
                "\ufeffprompt;answer\nNo, never;b\n");
        rejects("FILE: line 2: the delimiter of CSV must be a comma, not a tab; save the file with commas", "t", "\nprompt\tanswer\na\tb\n");
        rejects("FILE: line 1: is not CSV: a quote within a quoted cell must be doubled, and the quote that ends a cell must be"
                + " followed by a comma or a line end; the delimiter must be a comma, not a semicolon or a tab", "t.csv",
                "\"prompt\";\"answer\"\n\"a\";\"b\"\n");
        Path latin = Files.write(folder.resolve("latin.csv"), "a\n\u00e4\n".getBytes(StandardCharsets.ISO_8859_1));
        assertEquals(latin + ": is not UTF-8; save the file as UTF-8", assertThrows(InputException.class, () -> Entries.read(
                latin.toString(), InputStream.nullInputStream(), Fields.SAME, "FORM")).getMessage());
    }

    @Test
    void otherNamesOfFields() throws IOException {
        String line = "{\"question\": \"a\", \"reference\": \"b\", \"text\": \"c\", \"n\": 1}";
        Entries entries = read("texts.jsonl", line, "question=prompt", "reference=answer", "text=-");
        assertEquals("{\"prompt\":\"a\",\"answer\":\"b\",\"n\":1}", entries.entries().getFirst().json().toString());
        assertEquals("{\"question\":\"prompt\",\"reference\":\"answer\",\"text\":\"-\"}",
                entries.provenance().get("fields").toString());
        assertTrue(read("texts.jsonl", line).provenance().path("fields").isMissingNode());
        assertEquals("{\"answer\":\"a\",\"prompt\":\"b\"}", read("texts.jsonl",
                "{\"prompt\": \"a\", \"answer\": \"b\"}", "prompt=answer", "answer=prompt").entries().getFirst().json().toString());
    }

    @Test
    void otherNamesThatAreNotThere() {
        rejects("--fields: FILE has no field \"question\", only \"prompt\", \"answer\", \"id\"", "t.jsonl", LINES, "question=prompt");
        rejects("FILE: line 1: has both \"prompt\" and a field that --fields renames to it; ignore \"prompt\" with --fields prompt=-",
                "t.jsonl", "{\"prompt\": \"a\", \"question\": \"b\"}", "question=prompt");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            question           | --fields: write NAME=FIELD, such as question=prompt, or NAME=- to ignore NAME, not "question"
            =prompt            | --fields: write NAME=FIELD, such as question=prompt, or NAME=- to ignore NAME, not "=prompt"
            question=promt     | --fields: there is no field "promt"; the fields are prompt, answer,
            question=          | --fields: there is no field ""; the fields are prompt, answer,
            a=prompt,b=prompt  | --fields: two names stand for prompt
            a=prompt,a=answer  | --fields: "a" is given twice
            """)
    void malformedNames(String option, String message) {
        String found = assertThrows(InputException.class, () -> Fields.parse(List.of(option.split(",")))).getMessage();
        assertTrue(found.startsWith(message), found);
    }

    @Test
    void idsNameOneEntry() throws IOException {
        assertEquals(List.of("", "2"), read("texts.jsonl", LINES).ids());
        Entries twice = read("texts.jsonl", "{\"id\": 1}\n{\"id\": \"1\"}\n");
        assertEquals(folder.resolve("texts.jsonl") + ": line 2: the id \"1\" is already that of an earlier entry",
                assertThrows(InputException.class, twice::ids).getMessage());
    }
}
