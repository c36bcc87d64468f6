package headscope.analysis;

import static headscope.analysis.InputException.require;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.model.text.ChatTemplate;
import headscope.model.text.TextException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Optional;

/**
 * How chats are rendered and prompts are tokenized.
 *
 * @param system        system message for chats without one
 * @param specialTokens whether the tokenizer adds its special tokens to a text
 * @param date          that strftime_now returns in chat templates
 * @param time          of day for them; if empty, templates that use it are rejected, as their texts would differ every second
 */
public record Prompting(Optional<String> system, boolean specialTokens, LocalDate date, Optional<LocalTime> time) {
    private static final String MESSAGES = "messages";

    /** Roles whose message takes the place of a system message. */
    private static final List<String> SYSTEM = List.of("system", "developer");

    /** No system message, special tokens, and today. */
    public static Prompting standard() {
        return of(Optional.empty(), true, Optional.empty());
    }

    /** @param date as 2026-11-26 or 2026-11-26T14:05:00; empty for today */
    public static Prompting of(Optional<String> system, boolean specialTokens, Optional<String> date) {
        try {
            Optional<LocalDateTime> exact = date.filter(given -> given.contains("T")).map(LocalDateTime::parse);
            LocalDate day = exact.map(LocalDateTime::toLocalDate)
                    .orElseGet(() -> date.map(LocalDate::parse).orElseGet(LocalDate::now));
            return new Prompting(system, specialTokens, day, exact.map(LocalDateTime::toLocalTime));
        } catch (DateTimeParseException invalid) {
            throw new InputException("--date: write YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SS, not \"%s\"".formatted(date.orElse("")));
        }
    }

    /**
     * Entries in which messages are replaced by a prompt, or by a text if the last message is the assistant's.
     *
     * @param model folder of the model whose template renders them
     * @throws InputException if messages cannot be rendered, or if there is a system message but no chat
     */
    Entries written(Entries file, Path model) {
        if (file.entries().stream().noneMatch(entry -> entry.has(MESSAGES))) {
            require(system.isEmpty(), "--system: %s has no \"messages\" to which a system message could be added"
                    .formatted(file.name()));
            return file;
        }
        ChatTemplate template = template(model);
        List<Entry> written = file.entries().stream()
                .map(entry -> entry.has(MESSAGES) ? written(entry, template) : entry)
                .toList();
        return new Entries(file.name(), file.digest(), file.fields(), Optional.of(new ChatUse(
                template.file().getFileName().toString(), Digest.of(template.source().getBytes(StandardCharsets.UTF_8)),
                system, template.dated() ? Optional.of(time.map(of -> date.atTime(of).toString()).orElseGet(date::toString)) : Optional.empty())), written);
    }

    private static ChatTemplate template(Path model) {
        return ChatTemplate.read(model).orElseThrow(() -> new InputException(("%s: has no chat template (chat_template.jinja, or"
                + " chat_template in tokenizer_config.json): give prompts instead of messages, or add the model's template")
                .formatted(model)));
    }

    private Entry written(Entry entry, ChatTemplate template) {
        for (String other : List.of("prompt", "text")) {
            if (entry.json().has(other)) {
                throw entry.wrong("\"messages\" and \"%s\" exclude each other: remove one".formatted(other));
            }
        }
        ArrayNode messages = messages(entry);
        boolean last = messages.get(messages.size() - 1).path("role").asText().equals("assistant");
        boolean answered = entry.has("answer") || entry.has("choices") || entry.has("generated");
        if (last && answered) {
            throw entry.wrong("the last message is the assistant's, so there is nothing to answer: remove it, or give"
                    + " \"label\" instead of \"answer\"");
        }
        if (last && !entry.has("label")) {
            throw entry.wrong("the last message is the assistant's, so the chat is read as a text: give \"label\", or end"
                    + " with the user's message and give \"answer\"");
        }
        String text = text(entry, template, messages, !last);
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        entry.json().properties().forEach(field -> {
            if (field.getKey().equals(MESSAGES)) {
                json.put(last ? "text" : "prompt", text);
            } else {
                json.set(field.getKey(), field.getValue());
            }
        });
        return new Entry(entry.file(), entry.place(), json);
    }

    private String text(Entry entry, ChatTemplate template, ArrayNode messages, boolean answered) {
        ArrayNode all = withSystem(messages);
        try {
            return template.render(all, answered, date, time);
        } catch (TextException rejected) {
            throw entry.wrong(rejected.getMessage()
                    + (all.size() > messages.size() ? " (with the system message of --system)" : ""));
        }
    }

    private static ArrayNode messages(Entry entry) {
        if (!(entry.json().get(MESSAGES) instanceof ArrayNode messages) || messages.isEmpty()) {
            throw entry.wrong("messages must be a list of {\"role\": \"...\", \"content\": \"...\"} with at least one");
        }
        for (JsonNode message : messages) {
            JsonNode content = message.path("content");
            if (!message.path("role").isTextual() || !isText(content) && !message.has("tool_calls")) {
                throw entry.wrong("a message is {\"role\": \"...\", \"content\": \"...\"}, whose content is a string or a list of"
                        + " {\"type\": \"text\", \"text\": \"...\"}, not " + Entry.printable(message));
            }
        }
        return messages;
    }

    private static boolean isText(JsonNode content) {
        return content.isTextual() || content.isArray() && content.valueStream()
                .allMatch(part -> part.path("type").asText().equals("text") && part.path("text").isTextual());
    }

    private ArrayNode withSystem(ArrayNode messages) {
        if (system.isEmpty() || messages.valueStream().anyMatch(message -> SYSTEM.contains(message.path("role").asText()))) {
            return messages;
        }
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        all.add(message("system", system.get()));
        return all.addAll(messages);
    }

    private static ObjectNode message(String role, String content) {
        return JsonNodeFactory.instance.objectNode().put("role", role).put("content", content);
    }

    /**
     * The prompt for a message of the user, with the system message if there is one.
     *
     * @throws TextException if the template rejects them
     */
    public String chat(String message, Path model) {
        ArrayNode messages = JsonNodeFactory.instance.arrayNode().add(message("user", message));
        return template(model).render(withSystem(messages), true, date, time);
    }

    /** A warning about a special token that a text begins with and that the tokenizer adds as well. */
    public static String repeated(String token) {
        return "texts begin with %1$s, and the tokenizer adds another %1$s before them; to add none, give --no-special-tokens"
                .formatted(token);
    }
}
