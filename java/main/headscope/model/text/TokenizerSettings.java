package headscope.model.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.tensor.InputFile;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Printable;
import headscope.tensor.StrictJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;

/**
 * The files beside tokenizer.json. Texts are tokenized by tokenizer.json alone; transformers 5 also adds tokens that only the other
 * files name, and some of its classes replace parts of tokenizer.json.
 *
 * @param folder    of the model
 * @param modelType of config.json
 * @param config    tokenizer_config.json; empty if there is none
 */
record TokenizerSettings(Path folder, String modelType, ObjectNode config) {
    private static final String CONFIG = "tokenizer_config.json";
    private static final String CLASS = "tokenizer_class";
    private static final String MAP = "special_tokens_map.json";
    private static final long MAX_BYTES = 64 * InputFile.MIB;

    /** The class that runs tokenizer.json as it is. */
    private static final String UNCHANGED = "TokenizersBackend";

    /** Classes of model types whose own class transformers uses whatever the files name. */
    private static final Map<String, String> FORCED =
            Map.of("qwen2", "Qwen2Tokenizer", "phi3", UNCHANGED, "mistral", UNCHANGED, "olmo2", UNCHANGED);

    /** Classes of model types whose files name none. */
    private static final Map<String, String> DEFAULTS = Map.of(
            "bert", "BertTokenizer", "gemma2", "GemmaTokenizer", "gemma3_text", "GemmaTokenizer", "gpt2", "GPT2Tokenizer",
            "gpt_neox", "GPTNeoXTokenizer", "qwen3", "Qwen2Tokenizer");

    private static final Set<String> UNCHANGING =
            Set.of(UNCHANGED, "PreTrainedTokenizer", "PreTrainedTokenizerFast", "PythonBackend");

    private static final String QWEN_SPLIT = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*"
            + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

    private static final List<String> FLAGS = List.of("lstrip", "rstrip", "single_word", "normalized");

    /** @throws ModelFormatException if a file cannot be read */
    static TokenizerSettings read(Path folder) {
        ObjectNode model = json(folder.resolve("config.json"));
        ObjectNode config = json(folder.resolve(CONFIG));
        if (config.path("split_special_tokens").asBoolean()) {
            throw new ModelFormatException(folder.resolve(CONFIG), "split_special_tokens",
                    "true is not supported: special tokens in a text are always read as such");
        }
        if (!config.hasNonNull(CLASS) && model.hasNonNull(CLASS)) {
            config = config.deepCopy().set(CLASS, model.get(CLASS));
        }
        return new TokenizerSettings(folder, model.path("model_type").asText(), config);
    }

    /** The object in a file; an empty one if there is no file. */
    static ObjectNode json(Path file) {
        if (!Files.exists(file)) {
            return JsonNodeFactory.instance.objectNode();
        }
        try {
            if (StrictJson.read(file, MAX_BYTES) instanceof ObjectNode object) {
                return object;
            }
            throw new ModelFormatException(file, "is not a JSON object");
        } catch (IOException failure) {
            throw new ModelFormatException(file, StrictJson.fault(failure));
        }
    }

    /** The class of transformers 5 that reads these files. */
    String tokenizerClass() {
        String named = config.path(CLASS).asText("").replaceFirst("(?<=Tokenizer)Fast$", "");
        String used = FORCED.getOrDefault(modelType, named.isEmpty() ? DEFAULTS.getOrDefault(modelType, UNCHANGED) : named);
        return UNCHANGING.contains(used) ? UNCHANGED : used;
    }

    /** Whether transformers runs tokenizer.json as it is; other classes also have special tokens that no file names. */
    boolean runsTheFileUnchanged() {
        return tokenizerClass().equals(UNCHANGED);
    }

    /**
     * What transformers would read otherwise, one line each.
     *
     * @param tokenizer sections of tokenizer.json
     */
    List<String> differences(TokenizerFile.Sections tokenizer) {
        List<String> lines = new ArrayList<>();
        Map<String, JsonNode> own = new LinkedHashMap<>();
        tokenizer.addedTokens().forEach(token -> own.put(token.path("content").asText(), token));
        Set<String> added = new LinkedHashSet<>();
        named().forEach((content, token) -> {
            if (!own.containsKey(content)
                    || FLAGS.stream().anyMatch(flag -> token.has(flag) && !token.get(flag).equals(own.get(content).get(flag)))) {
                added.add(content);
            }
        });
        if (!added.isEmpty()) {
            lines.add("%s: transformers would add or change these tokens, which are read here as tokenizer.json has them: %s"
                    .formatted(folder, shown(added)));
        }
        String used = tokenizerClass();
        if (!leavesUnchanged(used, tokenizer)) {
            lines.add("%s: tokenizer.json is used as it is; transformers 5 replaces parts of it by those of its class %s, so that it may"
                    .formatted(folder, used) + " read some texts as other tokens");
        } else if (!runsTheFileUnchanged() && config.has("added_tokens_decoder")) {
            Set<String> lost = new LinkedHashSet<>(own.keySet());
            lost.removeAll(named().keySet());
            if (!lost.isEmpty()) {
                lines.add("%s: transformers would lose these tokens of tokenizer.json, which added_tokens_decoder does not contain: %s"
                        .formatted(folder, shown(lost)));
            }
        }
        return lines;
    }

    private static String shown(Set<String> tokens) {
        List<String> first = tokens.stream().limit(5).map(Printable::quote).toList();
        return String.join(", ", first) + (tokens.size() > first.size() ? ", ..." : "");
    }

    /** Whether a class has the same normalizer and pre-tokenizer as tokenizer.json. */
    private boolean leavesUnchanged(String used, TokenizerFile.Sections tokenizer) {
        String normalizer = tokenizer.normalizer().path("type").asText("");
        JsonNode before = tokenizer.preTokenizer();
        String type = before.path("type").asText("");
        return switch (used) {
            case "LlamaTokenizer" -> normalizer.isEmpty() && type.equals("Metaspace")
                    && before.path("prepend_scheme").asText("always").equals(prependScheme())
                    && !before.path("split").asBoolean(true);
            case "GPT2Tokenizer" -> normalizer.isEmpty() && isBytes(before);
            case "GPTNeoXTokenizer" -> normalizer.equals("NFC") && isBytes(before)
                    && (config.path("add_bos_token").asBoolean()
                            || !tokenizer.postProcessor().path("type").asText("").equals("TemplateProcessing"));
            case "GemmaTokenizer" -> normalizer.equals("Replace") && type.equals("Split");
            case "Qwen2Tokenizer" -> normalizer.equals("NFC")
                    && before.path("pretokenizers").path(0).path("pattern").path("Regex").asText("").equals(QWEN_SPLIT)
                    && before.path("pretokenizers").path(1).path("type").asText("").equals("ByteLevel");
            case "BertTokenizer" -> type.equals("BertPreTokenizer") && isBertNormalizer(tokenizer.normalizer());
            default -> true;
        };
    }

    private boolean isBertNormalizer(JsonNode normalizer) {
        return normalizer.path("type").asText("").equals("BertNormalizer")
                && normalizer.path("lowercase").asBoolean(true) == config.path("do_lower_case").asBoolean(true)
                && normalizer.path("handle_chinese_chars").asBoolean(true) == config.path("tokenize_chinese_chars").asBoolean(true)
                && normalizer.path("strip_accents").asText("null").equals(config.path("strip_accents").asText("null"));
    }

    private String prependScheme() {
        boolean prefix = config.path("add_prefix_space").asBoolean(true);
        return prefix ? config.path("legacy").asBoolean() ? "always" : "first" : "never";
    }

    private boolean isBytes(JsonNode preTokenizer) {
        return preTokenizer.path("type").asText("").equals("ByteLevel")
                && preTokenizer.path("use_regex").asBoolean(true)
                && preTokenizer.path("add_prefix_space").asBoolean() == config.path("add_prefix_space").asBoolean();
    }

    /** The tokens that the files name, with their flags if they have some, by content. */
    private SequencedMap<String, JsonNode> named() {
        SequencedMap<String, JsonNode> tokens = new LinkedHashMap<>();
        config.path("added_tokens_decoder").forEach(token -> put(tokens, token));
        JsonNode map = config.has("added_tokens_decoder") ? JsonNodeFactory.instance.objectNode() : json(folder.resolve(MAP));
        for (JsonNode file : List.of(config, map)) {
            ChatTemplate.TOKENS.forEach(name -> put(tokens, file.path(name)));
            file.path("additional_special_tokens").forEach(token -> put(tokens, token));
            file.path("extra_special_tokens").forEach(token -> put(tokens, token));
        }
        json(folder.resolve("added_tokens.json")).fieldNames()
                .forEachRemaining(content -> put(tokens, JsonNodeFactory.instance.textNode(content)));
        return tokens;
    }

    private static void put(Map<String, JsonNode> tokens, JsonNode token) {
        String content = token.isObject() ? token.path("content").asText("") : token.isTextual() ? token.textValue() : "";
        if (!content.isEmpty()) {
            tokens.putIfAbsent(content, token);
        }
    }
}
