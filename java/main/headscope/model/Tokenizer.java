package headscope.model;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A checkpoint's tokenizer.json, run by the Hugging Face tokenizers library. */
public final class Tokenizer implements AutoCloseable {
    private final HuggingFaceTokenizer tokenizer;

    private Tokenizer(HuggingFaceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** @throws ModelFormatException if tokenizer.json is missing from the folder or cannot be read */
    public static Tokenizer open(Path folder) {
        Path file = folder.resolve("tokenizer.json");
        if (!Files.exists(file)) {
            throw new ModelFormatException(file, "is missing; texts cannot be tokenized without it");
        }
        try {
            return new Tokenizer(HuggingFaceTokenizer.builder()
                    .optTokenizerPath(file)
                    .optTruncation(false)
                    .optPadding(false)
                    .build());
        } catch (IOException | RuntimeException failure) {
            throw new ModelFormatException(file, "cannot be read as a tokenizer: " + failure.getMessage());
        }
    }

    /** Token ids of a text, including the special tokens that the tokenizer adds (BOS). */
    public int[] encode(String text) {
        return Arrays.stream(tokenizer.encode(text, true, false).getIds()).mapToInt(Math::toIntExact).toArray();
    }

    /**
     * A tokenized text.
     *
     * @param ids    the same as from {@link #encode}
     * @param tokens in the tokenizer's notation, with its markers for spaces and bytes
     * @param before number of special tokens before the text (BOS)
     */
    public record Tokens(int[] ids, List<String> tokens, int before) {}

    public Tokens tokens(String text) {
        Encoding encoding = tokenizer.encode(text, true, false);
        long[] special = encoding.getSpecialTokenMask();
        int before = 0;
        while (before < special.length && special[before] == 1) {
            before++;
        }
        return new Tokens(Arrays.stream(encoding.getIds()).mapToInt(Math::toIntExact).toArray(),
                List.of(encoding.getTokens()), before);
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
