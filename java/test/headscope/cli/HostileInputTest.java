package headscope.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.ChildJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files and arguments made on purpose: each is rejected with one short printable line before anything is computed. */
class HostileInputTest {
    private static final String GOOD = "{\"prompt\": \"a\", \"answer\": \"horse\"}\n";

    @TempDir
    private Path folder;

    private void assertRejected(String rule, List<String> command) throws IOException {
        ChildJvm.Result result = CommandLineTest.headscope(command);
        assertEquals(2, result.status(), result.toString());
        assertEquals(1, result.err().lines().count(), result.err());
        assertTrue(result.err().contains(rule), result.err());
        assertTrue(result.err().length() <= 400, result.err());
        assertTrue(result.err().strip().chars().noneMatch(Character::isISOControl), result.err());
        try (Stream<Path> left = Files.list(folder)) {
            assertTrue(left.noneMatch(path -> path.getFileName().toString().contains("run")), "a run has begun");
        }
    }

    private List<String> run(String analysis, Path texts) {
        return List.of(analysis, "--model", "models/demo", analysis.equals("gates") ? "--task" : "--texts",
                (analysis.equals("gates") ? "Math=" : "") + texts, analysis.equals("saliency") ? "--average" : "--seed=0",
                "--out", folder.resolve("run").toString());
    }

    /** The second line is malformed; the first one would be computed. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"prompt": "a", "answer": "horse"}{"prompt": "a"}     | line 2: has more than one JSON value
            {"prompt": "a", "answer": "horse"} xyz                | line 2: is not JSON
            {"prompt": "a", "answer": "horse", "answer": "c"}     | line 2: has a key twice: 'answer'
            {"prompt": "a\\ud800", "answer": "horse"}             | line 2: has an unpaired surrogate in "prompt"
            {"prompt": 3, "answer": "horse"}                      | line 2: prompt must be a string
            {"prompt": "a", "answer": "horse", "Answer": "c"}     | line 2: "Answer" would be ignored; write "answer"
            [1, 2]                                            | line 2: must be {
            {"prompt": "a", "answer": "horse", "x": NaN}          | line 2: is not JSON
            """)
    void malformedLines(String line, String rule) throws IOException {
        for (String analysis : List.of("spectra", "saliency", "functions", "gates")) {
            String good = analysis.equals("functions")
                    ? GOOD.replace("}", ", \"function\": \"Inference\", \"split\": \"train\"}")
                    : GOOD;
            Path texts = Files.writeString(folder.resolve("texts.jsonl"), good + (analysis.equals("functions")
                    ? line.replace("\"prompt\"", "\"function\": \"Inference\", \"split\": \"train\", \"prompt\"")
                    : line) + "\n");
            assertRejected(rule, run(analysis, texts));
        }
    }

    /** Where labels have no effect; in spectra a label beside a prompt takes precedence over grading. */
    @ParameterizedTest
    @CsvSource({"saliency, label", "functions, label", "gates, label", "saliency, generated", "functions, generated", "gates, choices"})
    void fieldsOfOtherAnalysesAreNeverIgnored(String analysis, String field) throws IOException {
        Path texts = Files.writeString(folder.resolve("texts.jsonl"),
                GOOD.replace("}", ", \"function\": \"Inference\", \"split\": \"train\", \"%s\": 0}".formatted(field)));
        assertRejected("line 1: \"%s\" would be ignored beside [answer, ".formatted(field), run(analysis, texts));
    }

    @Test
    void aCarriageReturnAloneEndsNoLine() throws IOException {
        Path texts = Files.writeString(folder.resolve("texts.jsonl"), GOOD + GOOD.strip() + "\r" + GOOD);
        assertRejected("line 2: has more than one JSON value", run("spectra", texts));
    }

    @Test
    void limitsOfLines() throws IOException {
        Path texts = folder.resolve("texts.jsonl");
        Files.writeString(texts, GOOD + "{\"x\": " + "[".repeat(100_000) + "\n");
        assertRejected("line 2: is nested more than 32 levels deep", run("spectra", texts));
        Files.writeString(texts, GOOD + "{\"x\": " + "1".repeat(2000) + "}\n");
        assertRejected("line 2: has a number of more than 100 digits", run("spectra", texts));
        Files.writeString(texts, GOOD + "{\"" + "x".repeat(60_000) + "\": 1}\n");
        assertRejected("line 2: has a key of more than 10000 characters", run("spectra", texts));
        Files.writeString(texts, GOOD + GOOD.replace("\"a\"", "\"" + "a ".repeat(1_000_000) + "\""));
        assertRejected("line 2: more than 256 tokens; the model takes at most 128", run("spectra", texts));
        Files.writeString(texts, GOOD + GOOD.replace("\"a\"", "\"" + " ".repeat(5_000_000) + "\""));
        assertRejected("line 2: 5000000 characters; at most 4194304 are read", run("spectra", texts));
        Files.writeString(texts, GOOD + "\ufeff" + GOOD);
        assertRejected("line 2: has a byte order mark", run("spectra", texts));
        Files.writeString(texts, GOOD, StandardCharsets.UTF_16);
        assertRejected("line 1: is not UTF-8", run("spectra", texts));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            "groups": "0-1:x"      | groups must be a list of
            "groups": 7            | groups must be a list of
            "groups": null         | groups must be a list of
            "groups": []           | groups must be a list of
            "group": []            | "group" would be ignored; write "groups"
            "groups": [3]          | a group is
            """)
    void groupsAreNeverIgnored(String groups, String rule) throws IOException {
        Path texts = Files.writeString(
                folder.resolve("texts.jsonl"), "{\"prompt\": \"a b\", \"answer\": \"c\", " + groups + "}\n");
        assertRejected("line 1: " + rule, run("saliency", texts));
    }

    @Test
    void devicesAndPipesAreNotTexts() throws Exception {
        assertRejected("/dev/zero: is not a regular file", run("spectra", Path.of("/dev/zero")));
        Path pipe = folder.resolve("pipe");
        assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
        assertRejected(pipe + ": is not a regular file", run("spectra", pipe));
        assertRejected(folder + ": is a folder, not a file", run("spectra", folder));
    }

    /** A token of tokenizer.json without a row in the embedding, also beyond 2^31. */
    @ParameterizedTest
    @CsvSource({"217", "3000000000"})
    void tokensBeyondTheEmbedding(String id) throws IOException {
        Path model = Files.createDirectory(folder.resolve("model"));
        for (String name : List.of("config.json", "model.safetensors", "tokenizer_config.json")) {
            Files.createSymbolicLink(model.resolve(name), Path.of("models/demo", name).toAbsolutePath());
        }
        String tokenizer = Files.readString(Path.of("models/demo/tokenizer.json"));
        String changed = tokenizer.replaceFirst("\"horse\": *\\d+", "\"horse\": " + id);
        assertFalse(changed.equals(tokenizer));
        Files.writeString(model.resolve("tokenizer.json"), changed);
        Path texts = Files.writeString(folder.resolve("texts.jsonl"), GOOD + GOOD.replace("\"a\"", "\"a horse\""));
        assertRejected("texts.jsonl: line 2: token \"horse\" has id " + id + ", but the model embeds only 217 tokens",
                List.of("spectra", "--model", model.toString(), "--texts", texts.toString(), "--k", "1", "--out",
                        folder.resolve("run").toString()));
    }

    @ParameterizedTest
    @CsvSource({"manifest.json", "heads.csv", "values.safetensors"})
    void devicesInARunFolder(String name) throws IOException {
        Path finished = folder.resolve("finished");
        assertEquals(0, CommandLineTest.headscope(List.of("saliency", "--model", "models/demo", "--text",
                "painted a picture of a horse", "--out", finished.toString())).status());
        Files.delete(finished.resolve(name));
        Files.createSymbolicLink(finished.resolve(name), Path.of("/dev/zero"));
        assertRejected(name + ": is not a regular file", List.of("render", finished.toString()));
    }

    @Test
    void argumentsAreEscapedAndShortened() throws IOException {
        assertRejected("x\\u001b[31m\\u000ay: no such folder", List.of("info", "x\u001b[31m\ny"));
        assertRejected(" ... ", List.of("info", "/tmp/" + "x".repeat(10_000)));
        assertRejected("'--\\u202ex'", List.of("doctor", "--\u202ex"));
        assertRejected("(did you mean --model", List.of("spectra", "--modle", "x", "--model", "x", "--texts", "x"));
        assertRejected("2147483647 new ones; the model takes at most 128", List.of("spectra", "--model", "models/demo",
                "--texts", "data/qa.jsonl", "--max-new-tokens", "2147483647"));
    }

    /** Ends of a colour scale that are no normal float. */
    @ParameterizedTest
    @CsvSource({"1e300", "1e-300", "1e-40", "0", "-1", "NaN", "Infinity"})
    void colourScalesEndAtNormalFloats(String top) throws IOException {
        assertRejected("--top must be from 1.2E-38 to 3.4E38, not ", List.of("functions", "--model", "nowhere", "--texts",
                "nowhere", "--top", top, "--out", folder.resolve("run").toString()));
    }

    /** Before the model, which is not there, is opened. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            saliency --model none --text a --random 3         | --random has an effect only with --ablate
            saliency --model none --text a --seed 3           | --seed has an effect only with --ablate
            spectra --model none --texts none --resume        | --resume needs --out DIR: name the interrupted run, without .partial
            gates --model none --task A=none --quick --resume | --resume needs --out DIR: name the interrupted run, without .partial
            """)
    void optionsWithoutEffectAreNeverIgnored(String command, String rule) throws IOException {
        assertRejected(rule, List.of(command.split(" ")));
    }

    /** Counts whose work could not end, before the model and the texts, which are not there, are opened. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            saliency --texts none --average --ablate 0.3 --random 10001       | --random must be from 0 to 10000, not 10001
            answer --texts none --temperature 1 --samples 1000000000          | --samples must be from 1 to 10000, not 1000000000
            gates --task A=none --updates 1,2147483647,1                      | --updates must be from 1 to 100000, not 2147483647
            gates --task A=none --seeds 1001                                  | --seeds must be from 1 to 1000, not 1001
            functions --texts none --mask 3 --draws 10001                     | --draws must be from 1 to 10000, not 10001
            functions --texts none --epochs 1000001                           | --epochs must be from 1 to 1000000, not 1000001
            """)
    void countsHaveLimits(String command, String rule) throws IOException {
        List<String> words = new ArrayList<>(List.of(command.split(" ")));
        words.addAll(List.of("--model", "none", "--out", folder.resolve("run.jsonl").toString()));
        assertRejected(rule, words);
    }

    @Test
    void aTextMayBeginWithAnAt() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "--help");
        ChildJvm.Result result = CommandLineTest.headscope(List.of("info", "@" + file));
        assertEquals("headscope: @%s: no such folder\n".formatted(file), result.err());
    }

    @Test
    void theTraceIsPrintedOnRequest() {
        ChildJvm.Result result = CommandLineTest.headscope(List.of("info", "nowhere", "--verbose"));
        assertTrue(result.err().startsWith("headscope: nowhere: no such folder\n"), result.err());
        assertTrue(result.err().contains("at headscope.model.Checkpoint.open"), result.err());
    }

    /** Another language's digits, separators and letter cases change nothing. */
    @ParameterizedTest
    @CsvSource({"de", "tr", "ar"})
    void theLanguageChangesNothing(String language) throws Exception {
        ChildJvm.Result result = ChildJvm.run(folder, Map.of("JDK_JAVA_OPTIONS", "-Duser.language=" + language), "",
                List.of("headscope.Main", "info", "models/demo"));
        assertEquals(0, result.status(), result.err());
        assertTrue(result.out().contains("parameters       5,404,992\n"), result.out());
        assertTrue(result.out().contains("on disk          10.3 MiB\n"), result.out());
    }

    @ParameterizedTest
    @CsvSource({"--help", "info models/demo", "--version"})
    void lostOutputIsAnError(String arguments) throws Exception {
        ChildJvm.Result lost = ChildJvm.run(folder, Map.of(), "", Path.of("/dev/full"),
                Stream.concat(Stream.of("headscope.Main"), Stream.of(arguments.split(" "))).toList());
        assertEquals(2, lost.status());
        assertEquals("headscope: standard output: cannot be written: no space left on device; what was printed is"
                + " incomplete\n", lost.err());
    }
}
