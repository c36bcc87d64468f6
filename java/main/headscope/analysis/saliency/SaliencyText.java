package headscope.analysis.saliency;

import com.fasterxml.jackson.databind.JsonNode;
import headscope.analysis.Entry;
import headscope.analysis.InputException;
import headscope.analysis.Join;
import headscope.model.ModelConfig;
import headscope.model.text.TextException;
import headscope.model.text.Tokenizer;
import headscope.result.TokenGroup;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A text whose last token predicts a target.
 *
 * @param place  where the text is, for messages: an option, or a file and a line
 * @param ids    T token ids
 * @param tokens their strings in the vocabulary
 * @param target the token whose prediction is explained; empty = the model's own next token
 * @param rival  the token whose logit is subtracted
 * @param groups groups of tokens, from left to right
 */
record SaliencyText(
        String place, int[] ids, List<String> tokens, OptionalInt target, OptionalInt rival, List<TokenGroup> groups) {
    /** The form of a line of a file. */
    static final String FORM =
            "{\"prompt\": \"...\", \"answer\": \"...\", \"groups\": [{\"label\": \"...\", \"start\": 0, \"end\": 7}]}";

    private static final Pattern GROUP = Pattern.compile("(\\d{1,6})(?:-(\\d{1,6}))?:(.+)", Pattern.DOTALL);

    /** Between groups; a comma that is not followed by the next group's tokens belongs to a label. */
    private static final String NEXT_GROUP = ",(?=\\d{1,6}(?:-\\d{1,6})?:)";

    /** Creates the exception for invalid input. For a text of the command line, the message names the option. */
    private interface Rejection {
        InputException of(String option, String rule);
    }

    /**
     * Reads texts with a model's tokenizer and limits.
     *
     * @param join  what stands between a text and its target
     * @param rival the word whose logit is subtracted
     */
    record Reader(ModelConfig config, Tokenizer tokenizer, Join join, Optional<String> rival) {
        /** Reads a text of the command line; groups such as "0-6:&lt;ENV&gt;,7-12:&lt;LAN&gt;" include both ends. */
        SaliencyText commandLine(String text, Optional<String> target, Optional<String> groups) {
            List<TokenGroup> parsed = new ArrayList<>();
            for (String one : groups.map(all -> all.split(NEXT_GROUP)).orElse(new String[0])) {
                Matcher parts = GROUP.matcher(one);
                if (!parts.matches()) {
                    throw new InputException(("--groups: \"%s\" is not a group; write FIRST-LAST:LABEL, tokens counted from "
                            + "0 without those that the tokenizer prepends").formatted(one));
                }
                int first = Integer.parseInt(parts.group(1));
                int last = parts.group(2) == null ? first : Integer.parseInt(parts.group(2));
                parsed.add(group(parts.group(3), first, last + 1, Reader::rejection));
            }
            try {
                return text("--text", text, target, parsed, Reader::rejection);
            } catch (TextException unusable) {
                throw rejection("--text", unusable.getMessage());
            }
        }

        private static InputException rejection(String option, String rule) {
            return new InputException(option + ": " + rule);
        }

        SaliencyText entry(Entry entry) {
            Rejection wrong = (option, rule) -> entry.wrong(rule);
            entry.requireUsed(Set.of("prompt", "answer", "groups"));
            List<TokenGroup> groups = new ArrayList<>();
            JsonNode list = entry.json().path("groups");
            if (!list.isMissingNode() && (!list.isArray() || list.isEmpty())) {
                throw entry.wrong("groups must be a list of {\"label\": \"...\", \"start\": 0, \"end\": 7}; omit the key if"
                        + " there are none");
            }
            for (JsonNode group : list) {
                if (!group.path("label").isTextual() || !group.path("start").isInt() || !group.path("end").isInt()) {
                    throw entry.wrong("a group is {\"label\": \"...\", \"start\": 0, \"end\": 7}, not " + group);
                }
                groups.add(group(group.get("label").textValue(), group.get("start").intValue(),
                        group.get("end").intValue(), wrong));
            }
            return entry.located(
                    () -> text("%s: %s".formatted(entry.file(), entry.place()), entry.string("prompt"), Optional.of(entry.string("answer")), groups, wrong));
        }

        private static TokenGroup group(String label, int start, int end, Rejection wrong) {
            if (start < 0 || end <= start) {
                throw wrong.of("--groups", "group \"%s\" contains no token".formatted(label));
            }
            return new TokenGroup(label, start, end);
        }

        private SaliencyText text(
                String place, String text, Optional<String> target, List<TokenGroup> groups, Rejection wrong) {
            Tokenizer.Tokens alone = tokenizer.tokens(text);
            Optional<Next> targetNext = target.map(word -> next(text, alone, word, "--target", wrong));
            Optional<Next> rivalNext = rival.map(word -> next(text, alone, word, "--objective", wrong));
            int length = targetNext.map(Next::index).orElse(alone.ids().length);
            if (length < 2) {
                throw wrong.of("--text", "at least two tokens are needed, not " + length);
            }
            if (length > config.maxTokens()) {
                throw wrong.of("--text", "%d tokens; the model takes at most %d: shorten the text"
                        .formatted(length, config.maxTokens()));
            }
            rivalNext.filter(next -> next.index() != length).ifPresent(next -> {
                throw wrong.of("--objective", "\"%s\" cannot follow the same tokens as the target; name another word"
                        .formatted(rival.orElseThrow()));
            });
            if (targetNext.isPresent() && targetNext.equals(rivalNext)) {
                throw wrong.of("--objective", ("\"%s\" is the target itself; name another word in --objective "
                        + "logit-difference").formatted(rival.orElseThrow()));
            }
            return new SaliencyText(
                    place, Arrays.copyOf(alone.ids(), length), alone.tokens().subList(0, length), token(targetNext),
                    token(rivalNext), placed(groups, length, alone.before(), wrong));
        }

        private static OptionalInt token(Optional<Next> next) {
            return next.map(found -> OptionalInt.of(found.token())).orElse(OptionalInt.empty());
        }

        /** The first token of a word that continues a text, and its place. */
        private record Next(int token, int index) {}

        /**
         * The first token at which the continued text differs from the text alone. If the tokenizer merges the end of
         * the text with the word, this is the merged token, and the text before it is shorter.
         */
        private Next next(String text, Tokenizer.Tokens alone, String word, String option, Rejection wrong) {
            Tokenizer.Tokens both = tokenizer.tokens(text + join.between(text, word, tokenizer) + word);
            int index = Arrays.mismatch(alone.ids(), both.ids());
            if (index < 0 || index == both.ids().length) {
                throw wrong.of(option, "\"%s\" has no tokens".formatted(word));
            }
            int token = both.ids()[index];
            if (tokenizer.isUnknown(token, both.tokens().get(index))) {
                throw wrong.of(option, "\"%s\" is not in the model's vocabulary; name another word".formatted(word));
            }
            return new Next(token, index);
        }

        /** Shifts groups by the tokens that the tokenizer prepends. */
        private static List<TokenGroup> placed(
                List<TokenGroup> groups, int length, int before, Rejection wrong) {
            List<TokenGroup> placed = new ArrayList<>();
            int free = 0;
            int tokens = length - before;
            for (TokenGroup group : groups) {
                if (group.start() < free || group.end() > tokens) {
                    throw wrong.of("--groups", ("group \"%s\" overlaps the one before or ends beyond the text's %d "
                            + "tokens").formatted(group.label(), tokens));
                }
                free = group.end();
                placed.add(new TokenGroup(
                        group.label(), group.start() + before, group.end() + before));
            }
            return placed;
        }
    }

    int length() {
        return ids.length;
    }

    int last() {
        return ids.length - 1;
    }

    /** The last earlier occurrence of the target: in the first group, or anywhere if there are no groups. */
    OptionalInt ground(int token) {
        int from = groups.isEmpty() ? 0 : groups.getFirst().start();
        int end = groups.isEmpty() ? last() : groups.getFirst().end();
        for (int i = end - 1; i >= from; i--) {
            if (ids[i] == token) {
                return OptionalInt.of(i);
            }
        }
        return OptionalInt.empty();
    }

    List<String> labels() {
        return groups.stream().map(TokenGroup::label).toList();
    }
}
