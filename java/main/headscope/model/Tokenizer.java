package headscope.model;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A checkpoint's tokenizer.json, run by Hugging Face's own tokenizers. */
public final class Tokenizer implements AutoCloseable {
    private final HuggingFaceTokenizer tokenizer;

    private Tokenizer(HuggingFaceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** @throws ModelFormatException if folder holds no tokenizer.json that can be read */
    public static Tokenizer open(Path folder) {
        Path file = folder.resolve("tokenizer.json");
        if (!Files.exists(file)) {
            throw new ModelFormatException(file, "is missing; a text cannot be turned into tokens without it");
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

    /** Ids of a text, with the special tokens that the model's authors put around it (BOS). */
    public int[] encode(String text) {
        return Arrays.stream(tokenizer.encode(text, true, false).getIds()).mapToInt(Math::toIntExact).toArray();
    }

    /**
     * A text with the names of its tokens.
     *
     * @param ids    as {@link #encode} gives them
     * @param tokens as the tokenizer writes them, its marks of blanks and bytes included
     * @param before special tokens in front of the text (BOS)
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

    /** The text of ids, special tokens left out. */
    public String decode(int[] ids) {
        return tokenizer.decode(Arrays.stream(ids).asLongStream().toArray(), true);
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
