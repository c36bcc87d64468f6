package headscope.model.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingJsonFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A tokenizer.json whose model has no dropout, so that a text always gives the same tokens. Read as a stream: a
 * vocabulary may have tens of megabytes.
 *
 * @param json         UTF-8
 * @param unknownToken string of the token that stands for unknown text, if the vocabulary names it
 * @param unknownId    id of that token, if the vocabulary numbers it
 */
record TokenizerFile(byte[] json, Optional<String> unknownToken, OptionalInt unknownId) {
    private static final JsonFactory JSON = new JsonFactory();
    private static final JsonFactory TREES = new MappingJsonFactory();
    private static final List<String> SECTIONS = List.of("normalizer", "pre_tokenizer", "post_processor", "added_tokens");

    static TokenizerFile of(byte[] json) throws IOException {
        ByteArrayOutputStream kept = new ByteArrayOutputStream(json.length + 16);
        Optional<String> unknownToken = Optional.empty();
        OptionalInt unknownId = OptionalInt.empty();
        int copied = 0;
        try (JsonParser parser = JSON.createParser(json)) {
            boolean found = enter(parser, "model");
            for (; found && parser.currentToken() == JsonToken.FIELD_NAME; parser.nextToken()) {
                String field = parser.currentName();
                JsonToken value = parser.nextToken();
                if (field.equals("dropout") && value.isNumeric()) {
                    int start = (int) parser.currentTokenLocation().getByteOffset();
                    kept.write(json, copied, start - copied);
                    kept.writeBytes("null".getBytes(StandardCharsets.US_ASCII));
                    copied = start + parser.getTextLength();
                } else if (field.equals("unk_token") && value == JsonToken.VALUE_STRING) {
                    unknownToken = Optional.of(parser.getText());
                } else if (field.equals("unk_id") && value == JsonToken.VALUE_NUMBER_INT) {
                    unknownId = OptionalInt.of(parser.getIntValue());
                }
                parser.skipChildren();
            }
        }
        kept.write(json, copied, json.length - copied);
        return new TokenizerFile(kept.toByteArray(), unknownToken, unknownId);
    }

    /** What tokenizer.json contains beside the model; absent sections are missing nodes. */
    record Sections(JsonNode normalizer, JsonNode preTokenizer, JsonNode postProcessor, JsonNode addedTokens) {}

    Sections sections() throws IOException {
        Map<String, JsonNode> found = new HashMap<>();
        try (JsonParser parser = TREES.createParser(json)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String field = parser.currentName();
                parser.nextToken();
                if (SECTIONS.contains(field)) {
                    found.put(field, parser.readValueAsTree());
                } else {
                    parser.skipChildren();
                }
            }
        }
        List<JsonNode> sections =
                SECTIONS.stream().map(name -> found.getOrDefault(name, MissingNode.getInstance())).toList();
        return new Sections(sections.get(0), sections.get(1), sections.get(2), sections.get(3));
    }

    boolean isUnknown(int id, String token) {
        return unknownToken.equals(Optional.of(token)) || unknownId.equals(OptionalInt.of(id));
    }

    /** The strings of all ids, in the notation of the vocabulary; those of added tokens before those of the vocabulary. */
    Map<Integer, String> tokens() throws IOException {
        Map<Integer, String> tokens = new HashMap<>();
        readAdded(tokens);
        readVocabulary(tokens);
        return tokens;
    }

    private void readAdded(Map<Integer, String> tokens) throws IOException {
        try (JsonParser parser = JSON.createParser(json)) {
            if (!enter(parser, "added_tokens")) {
                return;
            }
            while (parser.currentToken() == JsonToken.START_OBJECT) {
                int number = -1;
                String content = "";
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String field = parser.currentName();
                    JsonToken value = parser.nextToken();
                    if (field.equals("id") && value == JsonToken.VALUE_NUMBER_INT) {
                        number = parser.getIntValue();
                    } else if (field.equals("content")) {
                        content = parser.getText();
                    }
                    parser.skipChildren();
                }
                tokens.putIfAbsent(number, content);
                parser.nextToken();
            }
        }
    }

    /** Vocabularies are an object {token: id} or an array of [token, score]. */
    private void readVocabulary(Map<Integer, String> tokens) throws IOException {
        try (JsonParser parser = JSON.createParser(json)) {
            boolean found = enter(parser, "model");
            while (found && parser.currentToken() == JsonToken.FIELD_NAME && !parser.currentName().equals("vocab")) {
                parser.nextToken();
                parser.skipChildren();
                parser.nextToken();
            }
            if (!found || parser.currentToken() != JsonToken.FIELD_NAME) {
                return;
            }
            if (parser.nextToken() == JsonToken.START_OBJECT) {
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String token = parser.currentName();
                    tokens.putIfAbsent(parser.nextIntValue(-1), token);
                }
                return;
            }
            for (int i = 0; parser.nextToken() == JsonToken.START_ARRAY; i++) {
                String token = parser.nextTextValue();
                if (token != null) {
                    tokens.putIfAbsent(i, token);
                }
                while (parser.nextToken() != JsonToken.END_ARRAY) {
                    parser.skipChildren();
                }
            }
        }
    }

    /** Moves to the first token inside a field of the outermost object; false if there is no such object or array. */
    private static boolean enter(JsonParser parser, String field) throws IOException {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            return false;
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            boolean wanted = parser.currentName().equals(field);
            boolean structure = parser.nextToken().isStructStart();
            if (wanted) {
                return structure && parser.nextToken() != null;
            }
            parser.skipChildren();
        }
        return false;
    }
}
