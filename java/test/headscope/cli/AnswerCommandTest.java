package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import headscope.result.Manifest;
import headscope.result.SampleTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** From a table of questions to a run, through a file of answers. */
class AnswerCommandTest {
    private static final String TABLE = """
            question,reference,verdict,id
            "the capital of boria is birch . elder is the capital of elvia . the capital of boria is",birch,,q1
            "six minus three equals","[""three"", ""3""]",,q2
            "nine minus four equals",,hallucinated,q3
            "the capital of boria is birch . the capital of boria is",elder,correct,q4
            """;

    @TempDir
    Path folder;

    private ChildJvm.Result answer(String table, String... options) throws IOException {
        Path texts = Files.writeString(folder.resolve("questions.csv"), table);
        List<String> command = new ArrayList<>(List.of("answer", "--model", "models/demo", "--texts", texts.toString(),
                "--stop", " .", "--max-new-tokens", "3", "--out", folder.resolve("answers.jsonl").toString()));
        command.addAll(List.of(options));
        return CommandLineTest.headscope(command);
    }

    private void assertRejected(String rule, ChildJvm.Result result) throws IOException {
        assertEquals(2, result.status(), result.toString());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().contains(rule), result.err());
        try (Stream<Path> files = Files.list(folder)) {
            assertFalse(files.anyMatch(file -> file.toString().contains("partial") || file.endsWith("answers.jsonl")));
        }
    }

    @Test
    void answersAreMeasured() throws IOException {
        ChildJvm.Result answered = answer(TABLE, "--fields", "question=prompt,reference=answer,verdict=label",
                "--label-names", "correct,hallucinated");
        assertEquals(0, answered.status(), answered.err());
        assertTrue(answered.out().contains(
                "4 answers to 4 prompts: 3 right (label 0), 1 wrong (label 1), 75.0 % right; labels given in the file: 2"),
                answered.out());
        Path answers = folder.resolve("answers.jsonl");
        Files.writeString(answers, Files.readString(answers).replaceFirst("\"correct\"", "\"hallucinated\""));
        Path run = folder.resolve("run");
        ChildJvm.Result measured = CommandLineTest.headscope(List.of("spectra", "--model", "models/demo", "--texts",
                answers.toString(), "--label-names", "correct,hallucinated", "--k", "4", "--out", run.toString()));
        assertEquals(0, measured.status(), measured.err());
        List<SampleTable.Sample> samples = SampleTable.read(run.resolve("samples.csv")).samples();
        assertEquals(List.of("1", "0", "1", "0"), samples.stream().map(SampleTable.Sample::label).toList());
        assertEquals(List.of("q1", "q2", "q3", "q4"), samples.stream().map(SampleTable.Sample::id).toList());
        assertEquals("three | 3", samples.get(1).expected());
        assertEquals("nine minus four equals", samples.get(2).prompt());
        Manifest manifest = Manifest.read(run);
        assertEquals(4, manifest.json().at("/samples/labels_given").intValue());
        assertEquals(0, manifest.json().at("/samples/labels_graded").intValue());
        assertEquals("as the file of texts gives it, 0 = correct, 1 = hallucinated", manifest.text("/conventions/label"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --fields=question=prompt                       | line 2: must be {
            --fields=question=prompt,answr=answer          | has no field "answr", only "question", "reference", "id", "verdict"
            --fields=question=prompt,reference=answer,verdict=label | line 4: label must be 0 or 1
            --samples=2                                    | --samples 2: all samples are equal at temperature 0
            --label-names=x                                | --label-names must be NEGATIVE,POSITIVE
            """)
    void malformedInput(String option, String rule) throws IOException {
        assertRejected(rule, answer(TABLE, option));
    }

    @Test
    void malformedExpressionsAreNamedBeforeTheModelIsOpened() throws IOException {
        Path texts = Files.writeString(folder.resolve("t.jsonl"), "{\"prompt\": \"a\", \"answer\": [\"b\", \"c(\"]}\n");
        for (String command : List.of("answer", "spectra")) {
            assertRejected("line 1: the answer \"c(\" is not a regular expression: missing closing ) at character 1",
                    CommandLineTest.headscope(List.of(command, "--model", "models/none", "--texts", texts.toString(), "--match",
                            "regex", "--out", folder.resolve("x.jsonl").toString())));
        }
    }
}
