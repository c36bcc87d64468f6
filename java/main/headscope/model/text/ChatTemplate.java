package headscope.model.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import headscope.jinja.Clock;
import headscope.jinja.Template;
import headscope.jinja.TemplateException;
import headscope.jinja.Value;
import headscope.tensor.InputFile;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalTime;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A model's chat template, which renders messages as one text, with the special tokens that it may use. It is looked up
 * as in transformers: in chat_template.jinja, otherwise as chat_template in tokenizer_config.json, where it is a
 * string or a list of named templates, of which "default" is used.
 *
 * @see <a href="https://huggingface.co/docs/transformers/chat_templating">Chat templates</a>
 */
public final class ChatTemplate {
    private static final String TEMPLATE = "chat_template.jinja";
    private static final String CONFIG = "tokenizer_config.json";

    /** Before tokenizer_config.json had added_tokens_decoder, this file named the special tokens. */
    private static final String SPECIAL_TOKENS = "special_tokens_map.json";

    static final List<String> TOKENS =
            List.of("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token");

    private static final long MAX_BYTES = 64 * InputFile.MIB;

    private final Path file;
    private final String source;
    private final Template template;
    private final Map<String, Value> tokens;

    private ChatTemplate(Path file, String source, Map<String, Value> tokens) {
        this.file = file;
        this.source = source;
        this.tokens = tokens;
        try {
            this.template = Template.parse(source);
        } catch (TemplateException fault) {
            throw new ModelFormatException(file, place(fault) + fault.getMessage());
        }
        TOKENS.stream().filter(token -> template.mentions(token) && !tokens.containsKey(token)).findFirst().ifPresent(token -> {
            throw new ModelFormatException(file.resolveSibling(CONFIG), ("does not name %1$s, which the chat template uses, and"
                    + " Headscope does not know the default of its tokenizer_class: add \"%1$s\", a string or null").formatted(token));
        });
    }

    /**
     * The chat template of a model; empty if it has none.
     *
     * @throws ModelFormatException if the template cannot be read or has a tag that is not supported
     */
    public static Optional<ChatTemplate> read(Path folder) {
        Path own = folder.resolve(TEMPLATE);
        Path config = folder.resolve(CONFIG);
        JsonNode settings = TokenizerSettings.json(config);
        Path more = folder.resolve("additional_chat_templates");
        if (Files.exists(own)) {
            if (Files.exists(more.resolve("default.jinja"))) {
                throw new ModelFormatException(more.resolve("default.jinja"), "takes the place of %s for transformers: remove one of them"
                        .formatted(own));
            }
            return Optional.of(new ChatTemplate(own, text(own), tokens(folder, settings)));
        }
        if (Files.isDirectory(more)) {
            throw new ModelFormatException(more,
                    "contains chat templates, but " + TEMPLATE + " beside it is missing: copy the one to use to that name");
        }
        return source(config, settings.path("chat_template"))
                .map(source -> new ChatTemplate(config, source, tokens(folder, settings)));
    }

    private static Optional<String> source(Path config, JsonNode template) {
        if (template.isMissingNode() || template.isNull()) {
            return Optional.empty();
        }
        Map<String, JsonNode> named = new LinkedHashMap<>();
        if (template.isArray()) {
            template.forEach(one -> named.put(one.path("name").asText(), one.path("template")));
        } else if (template.isObject()) {
            template.properties().forEach(one -> named.put(one.getKey(), one.getValue()));
        } else {
            named.put("default", template);
        }
        JsonNode chosen = named.get("default");
        if (chosen == null) {
            throw new ModelFormatException(config, "chat_template", "contains the templates %s, but none is named default"
                    .formatted(named.keySet()));
        }
        if (!chosen.isTextual()) {
            throw new ModelFormatException(config, "chat_template",
                    "must be a string, or a list of {\"name\": \"...\", \"template\": \"...\"}");
        }
        return Optional.of(chosen.textValue());
    }

    /** The tokens that the files name; an absent one is undefined, if its tokenizer has no default for it. */
    private static Map<String, Value> tokens(Path folder, JsonNode settings) {
        Path legacy = folder.resolve(SPECIAL_TOKENS);
        JsonNode first = settings.has("added_tokens_decoder") ? JsonNodeFactory.instance.objectNode() : TokenizerSettings.json(legacy);
        boolean known = TokenizerSettings.read(folder).runsTheFileUnchanged();
        Map<String, Value> tokens = new HashMap<>();
        for (String name : TOKENS) {
            JsonNode token = first.has(name) ? first.get(name) : settings.path(name);
            JsonNode content = token.isObject() ? token.path("content") : token;
            if (content.isTextual()) {
                tokens.put(name, Value.of(content.textValue()));
            } else if (!token.isNull() && !token.isMissingNode()) {
                throw new ModelFormatException(first.has(name) ? legacy : folder.resolve(CONFIG), name,
                        "must be a string, or an object with content");
            } else if (known || token.isNull()) {
                tokens.put(name, Value.undefined(name));
            }
        }
        putFurther(tokens, settings);
        putFurther(tokens, settings.path("extra_special_tokens"));
        putFurther(tokens, settings.path("model_specific_special_tokens"));
        return tokens;
    }

    /** Tokens of single models, such as image_token. */
    private static void putFurther(Map<String, Value> tokens, JsonNode named) {
        named.properties().stream().filter(one -> one.getKey().endsWith("_token") && !TOKENS.contains(one.getKey())).forEach(one -> {
            JsonNode content = one.getValue().isObject() ? one.getValue().path("content") : one.getValue();
            if (content.isTextual()) {
                tokens.put(one.getKey(), Value.of(content.textValue()));
            }
        });
    }

    private static String text(Path file) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(InputFile.read(file, MAX_BYTES))).toString();
        } catch (CharacterCodingException failure) {
            throw new ModelFormatException(file, "is not UTF-8");
        } catch (IOException failure) {
            throw new ModelFormatException(file, InputFile.fault(failure));
        }
    }

    /** The file that contains it. */
    public Path file() {
        return file;
    }

    public String source() {
        return source;
    }

    /** Whether the rendered text may depend on the date. */
    public boolean dated() {
        return template.mentions("strftime_now");
    }

    /**
     * The text of messages, as rendered by transformers' apply_chat_template.
     *
     * @param messages each an object with role and content
     * @param answered whether a text that the model continues as its answer (add_generation_prompt)
     * @param date     that strftime_now returns
     * @param time     of day; if empty, a template that uses it is rejected
     * @throws TextException if the template rejects the messages, or uses an unsupported feature for them
     */
    public String render(ArrayNode messages, boolean answered, LocalDate date, Optional<LocalTime> time) {
        try {
            Map<String, Value> variables = new HashMap<>(tokens);
            variables.put("messages", Value.of(messages));
            variables.put("tools", Value.None.NONE);
            variables.put("documents", Value.None.NONE);
            variables.put("add_generation_prompt", Value.of(answered));
            return template.render(variables, new Clock(date, time), messages.toString().length());
        } catch (TemplateException fault) {
            throw new TextException(fault.isRaised()
                    ? "the chat template rejects the messages: " + fault.getMessage()
                    : "%s, %s%s".formatted(file, place(fault), fault.getMessage()));
        }
    }

    private String place(TemplateException fault) {
        return (file.endsWith(CONFIG) ? "chat_template: " : "") + (fault.line() > 0 ? "line %d: ".formatted(fault.line()) : "");
    }
}
