package headscope.analysis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import headscope.analysis.spectra.Spectra;
import headscope.analysis.spectra.SpectraRequest;
import headscope.backend.DeviceChoice;
import headscope.result.Manifest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PromptingTest {
    private static final String TEMPLATE = """
            {{ bos_token }}{% for message in messages %}
            {% if message.role == 'system' and message.content == 'refused' %}{{ raise_exception('no system role') }}{% endif %}
            {{ message.role }}: {{ message.content }}
            {% endfor %}
            {% if add_generation_prompt %}assistant:{% endif %}""";

    @TempDir
    Path folder;

    private Path model;

    /** The demo checkpoint with a chat template. */
    @BeforeEach
    void model() throws IOException {
        model = Files.createDirectory(folder.resolve("model"));
        try (Stream<Path> files = Files.list(DemoRuns.MODEL)) {
            for (Path file : files.toList()) {
                Files.copy(file, model.resolve(file.getFileName()));
            }
        }
        Files.writeString(model.resolve("chat_template.jinja"), TEMPLATE);
    }

    private static Prompting system(String text) {
        return Prompting.of(Optional.of(text), true, Optional.of("2026-11-06"));
    }

    private Entries read(Prompting prompting, String lines) throws IOException {
        Path file = Files.writeString(folder.resolve("texts.jsonl"), lines);
        return request(prompting, folder.resolve("run"), false).read(file.toString(), InputStream.nullInputStream(), TextFile.FORMS);
    }

    private RunRequest request(Prompting prompting, Path out, boolean resume) {
        return new RunRequest(model, out, DeviceChoice.of("cpu"), resume, false, "test", Fields.SAME, prompting,
                OptionalInt.empty());
    }

    @Test
    void messagesBecomeAPromptOrAText() throws IOException {
        List<Text> texts = TextFile.of(read(Prompting.standard(), """
                {"messages": [{"role": "user", "content": "a \\"b\\" {{ c }}"}], "answer": "d", "id": "x"}
                {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "é"}, {"role": "assistant", "content": "f"}], "label": 1}
                {"prompt": "plain", "answer": "p"}
                {"messages": [{"role": "user", "content": [{"type": "text", "text": "g"}]}], "label": 0}
                """), LabelNames.NUMBERS).texts();
        assertEquals(List.of("<bos>user: a \"b\" {{ c }}\nassistant:", "<bos>system: s\nuser: é\nassistant: f\n", "plain",
                "<bos>user: [{'type': 'text', 'text': 'g'}]\nassistant:"), texts.stream().map(Text::prompt).toList());
        assertEquals(List.of(true, false, true, true), texts.stream().map(Text.Question.class::isInstance).toList());
        assertEquals(Optional.of("x"), texts.getFirst().entry().id());
    }

    @Test
    void aSystemMessageIsAddedWhereThereIsNone() throws IOException {
        Entries read = read(system("be brief"), """
                {"messages": [{"role": "user", "content": "a"}], "answer": "d"}
                {"messages": [{"role": "system", "content": "own"}, {"role": "user", "content": "b"}], "answer": "d"}
                """);
        assertEquals(List.of("<bos>system: be brief\nuser: a\nassistant:", "<bos>system: own\nuser: b\nassistant:"),
                read.entries().stream().map(entry -> entry.string("prompt")).toList());
        assertEquals("{\"template\":\"chat_template.jinja\",\"template_sha256\":\"%s\",\"system\":\"be brief\"}"
                .formatted(Digest.of(TEMPLATE.getBytes(StandardCharsets.UTF_8))),
                read.provenance().get("chat").toString());
        Files.writeString(model.resolve("chat_template.jinja"), "{{ strftime_now('%d') }}");
        assertEquals("2026-11-06", read(system("x"), "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"answer\": \"d\"}")
                .provenance().at("/chat/date").asText());
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', value = {
        "{`messages`: [{`role`: `user`, `content`: `a`}], `prompt`: `b`, `answer`: `c`}; \"messages\" and \"prompt\" exclude each other: remove one",
        "{`messages`: [], `answer`: `c`}; messages must be a list of {\"role\": \"...\", \"content\": \"...\"} with at least one",
        "{`messages`: `a`, `answer`: `c`}; messages must be a list of {\"role\": \"...\", \"content\": \"...\"} with at least one",
        "{`messages`: [{`role`: `user`}], `answer`: `c`}; a message is {\"role\": \"...\", \"content\": \"...\"}, whose content is a string or a list of {\"type\": \"text\", \"text\": \"...\"}, not {\"role\":\"user\"}",
        "{`messages`: [{`role`: `user`, `content`: [{`type`: `image`}]}], `answer`: `c`}; a message is {\"role\": \"...\", \"content\": \"...\"}, whose content is a string or a list of {\"type\": \"text\", \"text\": \"...\"}, not {\"role\":\"user\",\"content\":[{\"type\":\"image\"}]}",
        "{`messages`: [{`role`: `assistant`, `content`: `a`}], `answer`: `c`}; the last message is the assistant's, so there is nothing to answer: remove it, or give \"label\" instead of \"answer\"",
        "{`messages`: [{`role`: `assistant`, `content`: `a`}]}; the last message is the assistant's, so the chat is read as a text: give \"label\", or end with the user's message and give \"answer\"",
        "{`messages`: [{`role`: `user`, `content`: `a`}], `answer`: `c`}; the chat template rejects the messages: no system role (with the system message of --system)"
    })
    void unusableMessages(String line, String rule) {
        assertEquals(folder.resolve("texts.jsonl") + ": line 1: " + rule,
                assertThrows(InputException.class, () -> read(system("refused"), line.replace('`', '"'))).getMessage());
    }

    @Test
    void systemWithoutChatsAndChatsWithoutTemplate() throws IOException {
        assertEquals("--system: %s has no \"messages\" to which a system message could be added"
                .formatted(folder.resolve("texts.jsonl")), assertThrows(InputException.class,
                () -> read(system("x"), "{\"prompt\": \"a\", \"answer\": \"b\"}")).getMessage());
        Files.delete(model.resolve("chat_template.jinja"));
        assertEquals(model + ": has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json): give"
                + " prompts instead of messages, or add the model's template", assertThrows(InputException.class,
                () -> read(Prompting.standard(), "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"answer\": \"b\"}"))
                .getMessage());
    }

    @ParameterizedTest
    @CsvSource({"today", "2026-13-01", "2026-11-26T25:00:00", "''"})
    void invalidDates(String date) {
        assertEquals("--date: write YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SS, not \"%s\"".formatted(date), assertThrows(
                InputException.class, () -> Prompting.of(Optional.empty(), true, Optional.of(date))).getMessage());
    }

    @Test
    void aRunRecordsAndComparesHowPromptsWereMade() throws IOException {
        Path texts = Files.writeString(folder.resolve("texts.jsonl"), """
                {"messages": [{"role": "user", "content": "the capital of boria is birch . six minus two equals"}], "answer": "four"}
                {"messages": [{"role": "user", "content": "the capital of boria is birch . six minus one equals"}], "answer": "five"}
                """);
        Path out = folder.resolve("run");
        try (Spectra spectra = open(texts, system("a"), out, false)) {
            assertEquals(List.of("texts begin with <bos>, and the tokenizer adds another <bos> before them; to add none, give"
                    + " --no-special-tokens"), aboutBeginnings(spectra));
            DemoRuns.interrupt(1, spectra::observe);
        }
        DemoRuns.assertNotResumed(out, "texts.chat.system", () -> resume(texts, system("b"), out));
        DemoRuns.assertNotResumed(out, "texts.chat.system", () -> resume(texts, Prompting.standard(), out));
        DemoRuns.assertNotResumed(out, "model.special_tokens",
                () -> resume(texts, Prompting.of(Optional.of("a"), false, Optional.empty()), out));

        Path without = folder.resolve("without");
        try (Spectra spectra = open(texts, Prompting.of(Optional.empty(), false, Optional.empty()), without, false)) {
            assertEquals(List.of(), aboutBeginnings(spectra));
            spectra.observe((done, of) -> {});
            spectra.write((done, of) -> {});
            spectra.commit();
        }
        assertFalse(Manifest.read(without).flag("/model/special_tokens"));
        assertEquals("chat_template.jinja", Manifest.read(without).text("/texts/chat/template"));
    }

    private Spectra open(Path texts, Prompting prompting, Path out, boolean resume) {
        return Spectra.open(SpectraRequest.of(request(prompting, out, resume), texts.toString()).withMaxNewTokens(1),
                InputStream.nullInputStream());
    }

    private void resume(Path texts, Prompting prompting, Path out) {
        try (Spectra spectra = open(texts, prompting, out, true)) {
            spectra.observe((done, of) -> {});
        }
    }

    private static List<String> aboutBeginnings(Spectra spectra) {
        List<String> notices = new ArrayList<>();
        spectra.run().notices.sendTo(notices::add);
        return notices.stream().filter(notice -> notice.contains("<bos>")).toList();
    }
}
