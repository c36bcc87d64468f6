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

    /** Sections of published files, which their classes leave as they are, and what makes a difference. */
    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', delimiter = '|', value = {
        "LlamaTokenizer   | `{}`                        | `null` | `{'type': 'Metaspace', 'replacement': '_', 'prepend_scheme': 'first', 'split': false}` | true",
        "LlamaTokenizer   | `{'legacy': true}`          | `null` | `{'type': 'Metaspace', 'replacement': '_', 'prepend_scheme': 'first', 'split': false}` | false",
        "LlamaTokenizer   | `{'legacy': true}`          | `null` | `{'type': 'Metaspace', 'replacement': '_', 'prepend_scheme': 'always', 'split': false}` | true",
        "LlamaTokenizer   | `{'add_prefix_space': false}` | `null` | `{'type': 'Metaspace', 'replacement': '_', 'prepend_scheme': 'never', 'split': false}` | true",
        "LlamaTokenizer   | `{}`                        | `{'type': 'NFC'}` | `{'type': 'Metaspace', 'replacement': '_', 'prepend_scheme': 'first', 'split': false}` | false",
        "GemmaTokenizer   | `{}` | `{'type': 'Replace', 'pattern': {'String': ' '}, 'content': '_'}` | `{'type': 'Split', 'pattern': {'String': ' '}, 'behavior': 'MergedWithPrevious', 'invert': false}` | true",
        "GemmaTokenizer   | `{}` | `null` | `{'type': 'Split', 'pattern': {'String': ' '}, 'behavior': 'MergedWithPrevious', 'invert': false}` | false",
        "GPTNeoXTokenizer | `{}` | `{'type': 'NFC'}` | `{'type': 'ByteLevel', 'add_prefix_space': false, 'trim_offsets': true, 'use_regex': true}` | true",
        "GPTNeoXTokenizer | `{'add_prefix_space': true}` | `{'type': 'NFC'}` | `{'type': 'ByteLevel', 'add_prefix_space': false, 'trim_offsets': true, 'use_regex': true}` | false",
        "BertTokenizer    | `{}` | `{'type': 'BertNormalizer', 'clean_text': true, 'handle_chinese_chars': true, 'strip_accents': null, 'lowercase': true}` | `{'type': 'BertPreTokenizer'}` | true",
        "BertTokenizer    | `{}` | `{'type': 'BertNormalizer', 'clean_text': true, 'handle_chinese_chars': true, 'strip_accents': null, 'lowercase': false}` | `{'type': 'BertPreTokenizer'}` | false",
        "BertTokenizer    | `{'do_lower_case': false}` | `{'type': 'BertNormalizer', 'clean_text': true, 'handle_chinese_chars': true, 'strip_accents': null, 'lowercase': false}` | `{'type': 'BertPreTokenizer'}` | true"
    })
    void classesThatReplaceNothing(String name, String config, String normalizer, String preTokenizer, boolean same) throws IOException {
        tokenizer("{'normalizer': %s, 'pre_tokenizer': %s}".formatted(normalizer, preTokenizer));
        write("tokenizer_config.json", config.replaceFirst("\\{", "{'tokenizer_class': '" + name + "'" + (config.equals("{}") ? "" : ", ")));
        assertEquals(same, differences().isEmpty(), name);
    }

    @Test
    void qwen2KeepsItsSplit() throws IOException {
        String split = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
                + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
        write("config.json", "{'model_type': 'qwen2'}");
        for (boolean published : new boolean[] {true, false}) {
            ObjectNode json = (ObjectNode) JSON.readTree(Files.readString(folder.resolve("tokenizer.json")));
            json.putObject("normalizer").put("type", "NFC");
            ObjectNode sequence = json.putObject("pre_tokenizer").put("type", "Sequence");
            ObjectNode first = sequence.putArray("pretokenizers").addObject().put("type", "Split").put("behavior", "Isolated")
                    .put("invert", false);
            first.putObject("pattern").put("Regex", published ? split : split.replace("|\\p{N}|", "|\\p{N}{1,3}|"));
            sequence.withArray("pretokenizers").addObject().put("type", "ByteLevel").put("add_prefix_space", false)
                    .put("trim_offsets", false).put("use_regex", false);
            Files.writeString(folder.resolve("tokenizer.json"), json.toString());
            assertEquals(published, differences().isEmpty());
        }
    }

    @Test
    void settingsThatAreNoObjectAreRejected() throws IOException {
        write("tokenizer_config.json", "[]");
        assertEquals(folder.resolve("tokenizer_config.json") + ": is not a JSON object",
                assertThrows(ModelFormatException.class, this::differences).getMessage());
    }

    @Test
    void specialTokensAreNeverSplit() throws IOException {
        write("tokenizer_config.json", "{'split_special_tokens': true}");
        assertEquals(folder.resolve("tokenizer_config.json") + ": split_special_tokens: true is not supported: special tokens in a"
                + " text are always read as such", assertThrows(ModelFormatException.class, this::differences).getMessage());
    }
}
