package headscope.model.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files beside tokenizer.json by which transformers 5 would read texts otherwise are reported. */
class TokenizerSettingsTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    @BeforeEach
    void plain() throws IOException {
        tokenizer("{'normalizer': null, 'pre_tokenizer': {'type': 'ByteLevel', 'add_prefix_space': false, 'trim_offsets': true}, 'added_tokens': []}");
        write("config.json", "{'model_type': 'llama'}");
    }

    /** The tokenizer has a vocabulary of one word, and the tokens that a test names. */
    private void tokenizer(String sections) throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree("""
                {"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0, "<s>": 1, "<t>": 2}, "unk_token": "a"}}""");
        json.setAll((ObjectNode) JSON.readTree(sections.replace('\'', '"')));
        Files.writeString(folder.resolve("tokenizer.json"), json.toString());
    }

    private void write(String name, String json) throws IOException {
        Files.writeString(folder.resolve(name), json.replace('\'', '"'));
    }

    private List<String> differences() {
        try (Tokenizer tokenizer = Tokenizer.open(folder)) {
            return tokenizer.differences();
        }
    }

    private String adds(String tokens) {
        return folder + ": transformers would add or change these tokens, which are read here as tokenizer.json has them: " + tokens;
    }

    @Test
    void tokensThatOnlyOtherFilesName() throws IOException {
        assertEquals(List.of(), differences());
        write("tokenizer_config.json", "{'eos_token': '<t>', 'extra_special_tokens': ['<x>'], 'additional_special_tokens': ['<y>']}");
        write("special_tokens_map.json", "{'pad_token': {'content': '<p>'}}");
        write("added_tokens.json", "{'<z>': 7}");
        assertEquals(List.of(adds("\"<t>\", \"<y>\", \"<x>\", \"<p>\", \"<z>\"")), differences());
    }

    @Test
    void flagsOfTokensAreCompared() throws IOException {
        tokenizer("{'added_tokens': [{'id': 1, 'content': '<s>', 'lstrip': false, 'rstrip': true, 'single_word': false,"
                + " 'normalized': false, 'special': true}]}");
        write("tokenizer_config.json", "{'bos_token': '<s>', 'added_tokens_decoder': {'1': {'content': '<s>', 'rstrip': true}}}");
        assertEquals(List.of(), differences());
        write("tokenizer_config.json", "{'added_tokens_decoder': {'1': {'content': '<s>', 'rstrip': false}}}");
        assertEquals(List.of(adds("\"<s>\"")), differences());
        write("config.json", "{'model_type': 'gpt2'}");
        tokenizer("{'pre_tokenizer': {'type': 'ByteLevel', 'add_prefix_space': false, 'trim_offsets': true}, 'added_tokens': [{'id': 1, 'content': '<s>',"
                + " 'lstrip': false, 'rstrip': false, 'single_word': false, 'normalized': false, 'special': true}]}");
        write("tokenizer_config.json", "{'added_tokens_decoder': {}}");
        assertEquals(List.of(folder + ": transformers would lose these tokens of tokenizer.json, which added_tokens_decoder does not"
                + " contain: \"<s>\""), differences());
    }

    /** @param replaced the class that replaces the ByteLevel pre-tokenizer; empty if none does */
    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', value = {
        "llama, `''`, ``", "llama, 'PreTrainedTokenizerFast', ``", "llama, 'LlamaTokenizerFast', LlamaTokenizer",
        "llama, 'GPT2Tokenizer', ``", "gpt2, `''`, ``", "mistral, 'LlamaTokenizer', ``", "phi3, 'LlamaTokenizer', ``",
        "olmo2, 'LlamaTokenizer', ``", "qwen2, 'PreTrainedTokenizerFast', Qwen2Tokenizer", "qwen3, `''`, Qwen2Tokenizer",
        "qwen3, 'PreTrainedTokenizerFast', ``", "gemma2, `''`, GemmaTokenizer", "gpt_neox, `''`, GPTNeoXTokenizer"
    })
    void classesThatReplaceParts(String modelType, String named, String replaced) throws IOException {
        write("config.json", "{'model_type': '%s'}".formatted(modelType));
        write("tokenizer_config.json", "{'tokenizer_class': %s}".formatted(named));
        assertEquals(replaced.isEmpty() ? List.of() : List.of(folder + ": tokenizer.json is used as it is; transformers 5 replaces"
                + " parts of it by those of its class %s, so that it may read some texts as other tokens".formatted(replaced)),
                differences());
    }

    @Test
    void specialTokensAreNeverSplit() throws IOException {
        write("tokenizer_config.json", "{'split_special_tokens': true}");
        assertEquals(folder.resolve("tokenizer_config.json") + ": split_special_tokens: true is not supported: special tokens in a"
                + " text are always read as such", assertThrows(ModelFormatException.class, this::differences).getMessage());
    }
}
