package headscope.model;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.core.JsonProcessingException;
import headscope.tensor.ModelFormatException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A checkpoint's tokenizer.json, run by the Hugging Face tokenizers library. Its template may add special tokens before
 * a text (begin of text) and after it (end of text). Dropout is switched off.
 */
public final class Tokenizer implements AutoCloseable {
    /** Tokens in any usual vocabulary, to count those that the template adds. */
    private static final String SAMPLE = "a b 1 . \u65E5\u672C";

    private final TokenizerFile file;
    private final HuggingFaceTokenizer tokenizer;
    private final int before;
    private final int after;

    private Tokenizer(TokenizerFile file, HuggingFaceTokenizer tokenizer) {
        this.file = file;
        this.tokenizer = tokenizer;
        long[] special = tokenizer.encode(SAMPLE, true, false).getSpecialTokenMask();
        int first = 0;
        while (first < special.length && special[first] == 1) {
            first++;
        }
        int end = special.length;
        while (end > first && special[end - 1] == 1) {
            end--;
        }
        this.before = first;
        this.after = special.length - end;
    }

    /** @throws ModelFormatException if tokenizer.json is missing from the folder or cannot be read */
    public static Tokenizer open(Path folder) {
        Path path = folder.resolve("tokenizer.json");
        if (!Files.exists(path)) {
            throw new ModelFormatException(path, "is missing; texts cannot be tokenized without it");
        }
        try {
            TokenizerFile file = TokenizerFile.of(Files.readAllBytes(path));
            return new Tokenizer(file, HuggingFaceTokenizer.newInstance(
                    new ByteArrayInputStream(file.json()), Map.of("truncation", "false", "padding", "false")));
        } catch (JsonProcessingException failure) {
            throw new ModelFormatException(path, "cannot be read as a tokenizer: " + failure.getOriginalMessage());
        } catch (IOException | RuntimeException failure) {
            throw new ModelFormatException(path, "cannot be read as a tokenizer: " + failure.getMessage());
        }
    }

    /** Token ids of a text as it stands, with the special tokens that the template adds. */
    public int[] encode(String text) {
        return ids(tokenizer.encode(text, true, false));
    }

    /** Token ids of a text that is continued: {@link #encode} without the special tokens after the text. */
    public int[] encodePrompt(String text) {
        int[] ids = encode(text);
        return Arrays.copyOf(ids, Math.max(0, ids.length - after));
    }

    /**
     * A tokenized text that is continued.
     *
     * @param ids    the same as from {@link #encodePrompt}
     * @param tokens in the tokenizer's notation, with its markers for spaces and bytes
     * @param before number of special tokens before the text (BOS)
     */
    public record Tokens(int[] ids, List<String> tokens, int before) {}

    public Tokens tokens(String text) {
        Encoding encoding = tokenizer.encode(text, true, false);
        int[] ids = ids(encoding);
        int length = Math.max(0, ids.length - after);
        return new Tokens(Arrays.copyOf(ids, length), List.of(encoding.getTokens()).subList(0, length),
                Math.min(before, length));
    }

    private static int[] ids(Encoding encoding) {
        return Arrays.stream(encoding.getIds()).mapToInt(Math::toIntExact).toArray();
    }

    /** Whether a token stands for text that the vocabulary does not have. */
    public boolean isUnknown(int id, String token) {
        return file.isUnknown(id, token);
    }

    /** The string of an id in the tokenizer's notation; empty if the vocabulary does not have the id. */
    public String token(int id) {
        try {
            return file.token(id).orElse("");
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible); // the file was parsed when it was opened
        }
    }

    /** The text of token ids, without special tokens. */
    public String decode(int[] ids) {
        return tokenizer.decode(Arrays.stream(ids).asLongStream().toArray(), true);
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
