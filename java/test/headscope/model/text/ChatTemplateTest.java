package headscope.model.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalTime;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which template and which special tokens of a folder are used. TemplateTest compares what templates render. */
class ChatTemplateTest {
    private static final LocalDate DATE = LocalDate.of(2026, 11, 6);
    private static final String TOKENS = "{{ bos_token }}|{{ eos_token }}|{{ pad_token is defined }}";

    @TempDir
    Path folder;

    private void config(String json) throws IOException {
        Files.writeString(folder.resolve("tokenizer_config.json"), json.replace('\'', '"'));
    }

    private void template(String source) throws IOException {
        Files.writeString(folder.resolve("chat_template.jinja"), source);
    }

    private String render(boolean answered) {
        return ChatTemplate.read(folder).orElseThrow().render(messages("hi"), answered, DATE, Optional.empty());
    }

    private static ArrayNode messages(String content) {
        ArrayNode messages = new ObjectMapper().createArrayNode();
        messages.addObject().put("role", "user").put("content", content);
        return messages;
    }

    private void rejects(String message) {
        assertEquals(folder + message, assertThrows(ModelFormatException.class, () -> ChatTemplate.read(folder)).getMessage());
    }

    @Test
    void aFolderWithoutTemplateHasNone() throws IOException {
        assertEquals(Optional.empty(), ChatTemplate.read(folder));
        config("{'bos_token': '<s>'}");
        assertEquals(Optional.empty(), ChatTemplate.read(folder));
        config("{'chat_template': null}");
        assertEquals(Optional.empty(), ChatTemplate.read(folder));
    }

    @Test
    void aStringOrTheDefaultOfAListUnlessThereIsAFile() throws IOException {
        config("{'chat_template': 'one {{ messages[0].content }}{% if add_generation_prompt %} >{% endif %}'}");
        assertEquals("one hi >", render(true));
        assertEquals("one hi", render(false));
        config("{'chat_template': [{'name': 'tool_use', 'template': 'x'}, {'name': 'default', 'template': 'two'}]}");
        assertEquals("two", render(true));
        assertEquals(folder.resolve("tokenizer_config.json"), ChatTemplate.read(folder).orElseThrow().file());
        template("three {{ tools is none }} {{ documents is none }}");
        assertEquals("three True True", render(true));
        assertEquals(folder.resolve("chat_template.jinja"), ChatTemplate.read(folder).orElseThrow().file());
    }

    @Test
    void specialTokensAreStringsOrObjects() throws IOException {
        template(TOKENS);
        config("{'bos_token': '<s>', 'eos_token': {'__type': 'AddedToken', 'content': '</s>', 'lstrip': false}, 'pad_token': null}");
        assertEquals("<s>|</s>|False", render(true));
        Files.writeString(folder.resolve("special_tokens_map.json"), "{\"bos_token\": {\"content\": \"<b>\"}, \"pad_token\": \"<p>\"}");
        assertEquals("<b>|</s>|True", render(true));
        config("{'bos_token': '<s>', 'eos_token': '</s>', 'added_tokens_decoder': {}}");
        assertEquals("<s>|</s>|False", render(true));
    }

    /** Some tokenizer classes of transformers have tokens that no file names. */
    @Test
    void aTokenWhoseDefaultIsUnknownIsRejectedIfItIsUsed() throws IOException {
        config("{'tokenizer_class': 'LlamaTokenizer', 'eos_token': '</s>', 'pad_token': null}");
        template(TOKENS);
        rejects("/tokenizer_config.json: does not name bos_token, which the chat template uses, and Headscope does not"
                + " know the default of its tokenizer_class: add \"bos_token\", a string or null");
        template("{{ eos_token }}{{ pad_token }}");
        assertEquals("</s>", render(true));
    }

    @Test
    void unusableTemplatesAreRejectedWithTheirLine() throws IOException {
        config("{'chat_template': [{'name': 'rag', 'template': 'x'}]}");
        rejects("/tokenizer_config.json: chat_template: contains the templates [rag], but none is named default");
        config("{'chat_template': 3}");
        rejects("/tokenizer_config.json: chat_template: must be a string, or a list of {\"name\": \"...\", \"template\": \"...\"}");
        config("{'chat_template': '{% if x %}'}");
        rejects("/tokenizer_config.json: chat_template: line 1: {% endif %} is missing");
        config("{");
        rejects("/tokenizer_config.json: is not JSON (line 1, column 2)");
        config("{'bos_token': 'a', 'bos_token': 'b', 'chat_template': 'x'}");
        rejects("/tokenizer_config.json: has a key twice: 'bos_token' (line 1, column 31)");
        config("{'bos_token': 1, 'chat_template': 'x'}");
        rejects("/tokenizer_config.json: bos_token: must be a string, or an object with content");
        config("{}");
        template("a\n{% include 'other' %}");
        rejects("/chat_template.jinja: line 2: the tag {% include %} is not supported");
        Files.write(folder.resolve("chat_template.jinja"), new byte[] {(byte) 0xff});
        rejects("/chat_template.jinja: is not UTF-8");
        Files.delete(folder.resolve("chat_template.jinja"));
        Files.createDirectory(folder.resolve("additional_chat_templates"));
        rejects("/additional_chat_templates: contains chat templates, but chat_template.jinja beside it is missing: copy the"
                + " one to use to that name");
    }

    @Test
    void furtherTokensAreNamedLikeTheUsualOnes() throws IOException {
        template("{{ image_token }}{{ boi_token }}{{ audio_token }}{{ eos_token }}.");
        config("{'tokenizer_class': 'PreTrainedTokenizerFast', 'image_token': '<i>', 'extra_special_tokens': {'boi_token':"
                + " {'content': '<b>'}}, 'model_specific_special_tokens': {'audio_token': '<a>'}}");
        assertEquals("<i><b><a>.", render(true));
    }

    /** Gemma's class has tokens that no file names. */
    @Test
    void aClassThatOnlyTheModelTypeNamesMayHaveTokens() throws IOException {
        template("{{ bos_token }}");
        assertEquals("", render(true));
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"gemma2\"}");
        rejects("/tokenizer_config.json: does not name bos_token, which the chat template uses, and Headscope does not know the"
                + " default of its tokenizer_class: add \"bos_token\", a string or null");
        Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"llama\"}");
        assertEquals("", render(true));
        Path more = Files.createDirectory(folder.resolve("additional_chat_templates")).resolve("default.jinja");
        Files.writeString(more, "other");
        rejects("/additional_chat_templates/default.jinja: takes the place of %s for transformers: remove one of them"
                .formatted(folder.resolve("chat_template.jinja")));
    }

    @Test
    void messagesThatTheTemplateRejects() throws IOException {
        template("\n{{ raise_exception('Roles must alternate') }}");
        assertEquals("the chat template rejects the messages: Roles must alternate",
                assertThrows(TextException.class, () -> render(true)).getMessage());
        template("\n\n{{ messages | groupby('role') }}");
        assertEquals(folder.resolve("chat_template.jinja") + ", line 3: the filter \"groupby\" is not supported",
                assertThrows(TextException.class, () -> render(true)).getMessage());
    }

    @Test
    void theDateIsGiven() throws IOException {
        template("{{ strftime_now('%d %B %Y') }}");
        assertTrue(ChatTemplate.read(folder).orElseThrow().dated());
        assertEquals("06 November 2026", render(true));
        template("{{ strftime_now('%H:%M') }}");
        assertEquals(folder.resolve("chat_template.jinja")
                + ", line 1: the template uses the time of day: give --date YYYY-MM-DDTHH:MM:SS",
                assertThrows(TextException.class, () -> render(true)).getMessage());
        assertEquals("09:05", ChatTemplate.read(folder).orElseThrow()
                .render(messages("hi"), true, DATE, Optional.of(LocalTime.of(9, 5))));
        template("none");
        assertFalse(ChatTemplate.read(folder).orElseThrow().dated());
    }
}
