package headscope.analysis;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** A file of prompts and labelled texts. */
public record TextFile(Entries file, List<Text> texts) {
    /** The forms of an entry, for messages. */
    public static final String FORMS =
            "{\"prompt\": \"...\", \"answer\": \"...\"} or {\"text\": \"...\", \"label\": 0 or 1}";

    private static final Set<String> OF_PROMPTS =
            Set.of("prompt", "answer", "choices", "label", "generated", "generated_tokens");

    /** @param labels how labels are written */
    public static TextFile of(Entries file, LabelNames labels) {
        return new TextFile(file, file.entries().stream().map(entry -> parse(entry, labels)).toList());
    }

    public String name() {
        return file.name();
    }

    /** Only the first texts; 0 for all. */
    public TextFile first(int limit) {
        Entries first = file.first(limit);
        return new TextFile(first, texts.subList(0, first.entries().size()));
    }

    /** @throws InputException if the file gives every text the same label; checked before the model runs */
    public void requireBothLabels() {
        List<OptionalInt> labels = texts.stream().map(Text::label).distinct().toList();
        if (labels.size() == 1 && labels.getFirst().isPresent()) {
            throw new InputException("%s: all %d texts have label %d; a test needs both classes"
                    .formatted(name(), texts.size(), labels.getFirst().getAsInt()));
        }
    }

    private static Text parse(Entry entry, LabelNames labels) {
        JsonNode json = entry.json();
        if (json.has("text") && json.has("label") && !json.has("prompt")) {
            entry.requireUsed(Set.of("text", "label"));
            return new Text.Labelled(entry, entry.string("text"), OptionalInt.of(labels.label(entry)));
        }
        if (json.has("prompt") && (json.has("answer") || json.has("label")) && !json.has("text")) {
            entry.requireUsed(OF_PROMPTS);
            OptionalInt label = entry.has("label") || !json.has("answer")
                    ? OptionalInt.of(labels.label(entry))
                    : OptionalInt.empty();
            return entry.has("choices") ? choice(entry, label) : question(entry, label);
        }
        throw entry.wrong("must be " + FORMS
                + (json.has("prompt") || json.has("text") ? "" : "; if fields have other names, give --fields NAME=prompt"));
    }

    private static Text question(Entry entry, OptionalInt label) {
        String prompt = entry.string("prompt");
        List<String> answers = entry.json().has("answer") ? answers(entry) : List.of();
        return new Text.Question(entry, prompt, answers, generated(entry), label);
    }

    /** One string, or several of which each is right. */
    private static List<String> answers(Entry entry) {
        JsonNode answer = entry.json().get("answer");
        return answer.isArray() ? strings(entry, "answer", answer, 1) : List.of(entry.string("answer"));
    }

    private static List<String> strings(Entry entry, String field, JsonNode list, int least) {
        List<String> strings = new ArrayList<>();
        for (JsonNode one : list) {
            if (!one.isTextual()) {
                throw entry.wrong(field + " must be " + (least == 1 ? "a string or " : "") + "a list of strings");
            }
            strings.add(one.textValue());
        }
        if (strings.size() < least) {
            throw entry.wrong(least == 1
                    ? field + " is an empty list; give at least one string"
                    : "%s must be a list of at least %d strings".formatted(field, least));
        }
        return List.copyOf(strings);
    }

    private static Text choice(Entry entry, OptionalInt label) {
        String prompt = entry.string("prompt");
        List<String> choices = strings(entry, "choices", entry.json().get("choices"), 2);
        if (new HashSet<>(choices).size() < choices.size()) {
            throw entry.wrong("choices contains the same string twice");
        }
        Optional<Text.Generated> generated = generated(entry);
        generated.filter(answer -> !choices.contains(answer.text())).ifPresent(answer -> {
            throw entry.wrong("generated is not one of the choices");
        });
        OptionalInt right = entry.json().has("answer") ? right(entry, choices) : OptionalInt.empty();
        return new Text.Choice(entry, prompt, choices, right, generated, label);
    }

    /** The right choice: itself, or its index, which may be a string if no choice is a number. */
    private static OptionalInt right(Entry entry, List<String> choices) {
        JsonNode answer = entry.json().get("answer");
        int index = answer.isTextual() ? choices.indexOf(answer.textValue()) : -1;
        boolean number = answer.isIntegralNumber() || answer.isTextual() && answer.textValue().matches("\\d{1,6}")
                && choices.stream().noneMatch(choice -> choice.matches(".*\\d.*"));
        if (index < 0 && number) {
            index = answer.asInt(-1);
        }
        if (index < 0 || index >= choices.size()) {
            throw entry.wrong("answer must be one of the choices, or its index from 0 to %d, not %s"
                    .formatted(choices.size() - 1, Entry.printable(answer)));
        }
        return OptionalInt.of(index);
    }

    private static Optional<Text.Generated> generated(Entry entry) {
        if (!entry.has("generated")) {
            if (entry.has("generated_tokens")) {
                throw entry.wrong("generated_tokens without generated: add the answer whose tokens they are");
            }
            return Optional.empty();
        }
        List<Integer> tokens = new ArrayList<>();
        JsonNode list = entry.json().path("generated_tokens");
        for (JsonNode token : list) {
            if (!token.isInt() || token.intValue() < 0) {
                throw entry.wrong("generated_tokens must be a list of token ids");
            }
            tokens.add(token.intValue());
        }
        if (!list.isMissingNode() && !list.isNull() && tokens.isEmpty()) {
            throw entry.wrong("generated_tokens must be a list of token ids; omit it if they are unknown");
        }
        return Optional.of(new Text.Generated(entry.string("generated"), List.copyOf(tokens)));
    }
}
