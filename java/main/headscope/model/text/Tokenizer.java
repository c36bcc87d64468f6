package headscope.model.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.core.JsonProcessingException;
import headscope.model.ModelConfig;
import headscope.tensor.InputFile;
import headscope.tensor.ModelFormatException;
import headscope.tensor.Printable;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A checkpoint's tokenizer.json, run by the Hugging Face tokenizers library. Its template may add special tokens before
 * a text (begin of text) and after it (end of text). Dropout is switched off.
 */
public final class Tokenizer implements AutoCloseable {
    private static final long MAX_FILE_BYTES = 512 * InputFile.MIB;

    /** Lengths in UTF-16 units: of a text that is tokenized at once, and of the longest text. */
    private static final int SHORT_TEXT = 1 << 16;

    private static final int MAX_TEXT = 1 << 22;

    /** Tokens in any usual vocabulary, to count those that the template adds. */
    private static final String SAMPLE = "a b 1 . \u65E5\u672C";

    private final TokenizerFile file;
    private final TokenizerSettings settings;
    private final HuggingFaceTokenizer tokenizer;
    private final boolean specialTokens;
    private final int before;
    private final int after;
    private final int vocabulary;
    private final int maxTokens;
    private Optional<Map<Integer, String>> tokens = Optional.empty(); // read when one is asked for
    private volatile Optional<String> repeated = Optional.empty();

    private Tokenizer(
            TokenizerFile file, TokenizerSettings settings, HuggingFaceTokenizer tokenizer, boolean specialTokens, int vocabulary,
            int maxTokens) {
        this.file = file;
        this.settings = settings;
        this.tokenizer = tokenizer;
        this.specialTokens = specialTokens;
        this.vocabulary = vocabulary;
        this.maxTokens = maxTokens;
        long[] special = tokenizer.encode(SAMPLE, specialTokens, false).getSpecialTokenMask();
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

    /**
     * A model's tokenizer, which rejects texts that the model cannot read.
     *
     * @throws ModelFormatException if tokenizer.json is missing from the folder or cannot be read
     */
    public static Tokenizer open(Path folder, ModelConfig config) {
        return open(folder, config, true);
    }

    /**
     * A model's tokenizer, with or without the special tokens that its template adds.
     *
     * @throws ModelFormatException if tokenizer.json is missing from the folder or cannot be read
     */
    public static Tokenizer open(Path folder, ModelConfig config, boolean specialTokens) {
        return open(folder, specialTokens, config.vocabulary().size(), config.maxTokens());
    }

    /**
     * A tokenizer without a model.
     *
     * @throws ModelFormatException if tokenizer.json is missing from the folder or cannot be read
     */
    public static Tokenizer open(Path folder) {
        return open(folder, true, Integer.MAX_VALUE, Integer.MAX_VALUE);
    }

    private static Tokenizer open(Path folder, boolean specialTokens, int vocabulary, int maxTokens) {
        Path path = folder.resolve("tokenizer.json");
        if (!Files.exists(path)) {
            throw new ModelFormatException(path, "is missing; texts cannot be tokenized without it");
        }
        TokenizerSettings settings = TokenizerSettings.read(folder);
        try {
            TokenizerFile file = TokenizerFile.of(bytes(path));
            return new Tokenizer(file, settings, HuggingFaceTokenizer.newInstance(
                    new ByteArrayInputStream(file.json()), Map.of("truncation", "false", "padding", "false")),
                    specialTokens, vocabulary, maxTokens);
        } catch (ModelFormatException unreadable) {
            throw unreadable;
        } catch (JsonProcessingException failure) {
            throw new ModelFormatException(path, "cannot be read as a tokenizer: " + failure.getOriginalMessage());
        } catch (IOException | RuntimeException failure) {
            throw new ModelFormatException(path, "cannot be read as a tokenizer: " + failure.getMessage());
        }
    }

    /**
     * What transformers would read otherwise than this tokenizer, because of the files beside tokenizer.json: one line each.
     */
    public List<String> differences() {
        try {
            return settings.differences(file.sections());
        } catch (IOException impossible) {
            throw new UncheckedIOException("tokenizer.json has been read before", impossible);
        }
    }

    private static byte[] bytes(Path file) {
        try {
            return InputFile.read(file, MAX_FILE_BYTES);
        } catch (IOException failure) {
            throw new ModelFormatException(file, InputFile.fault(failure));
        }
    }

    /**
     * Token ids of a text as it stands, with the special tokens that the template adds.
     *
     * @throws TextException if the model cannot read the text: it is much too long, or a token has no embedding
     */
    public int[] encode(String text) {
        return ids(encoding(text));
    }

    private Encoding encoding(String text) {
        requireLength(text);
        Encoding encoding = tokenizer.encode(text, specialTokens, false);
        long[] ids = encoding.getIds();
        for (int i = 0; i < ids.length; i++) {
            if (ids[i] >= vocabulary) {
                throw new TextException(("token %s has id %d, but the model embeds only %d tokens: remove it from the text,"
                        + " or use the model's own tokenizer.json")
                        .formatted(Printable.quote(encoding.getTokens()[i]), ids[i], vocabulary));
            }
        }
        if (before > 0 && ids.length > before && ids[before] == ids[before - 1]) {
            repeated = Optional.of(encoding.getTokens()[before]);
        }
        return encoding;
    }

    /**
     * The special token that begins one of the texts so far and that the tokenizer has added before it too; empty if
     * there is none.
     */
    public Optional<String> repeatedBeginning() {
        return repeated;
    }

    /**
     * Rejects texts that are far too long from a prefix, because tokenizing takes hundreds of bytes per character. Merges
     * at the end of a prefix change few tokens, hence the factor of two.
     */
    private void requireLength(String text) {
        long limit = 2L * maxTokens;
        long length = Math.clamp(8L * maxTokens, SHORT_TEXT, MAX_TEXT);
        for (; length < text.length(); length = Math.min(2 * length, MAX_TEXT)) {
            if (tokenizer.encode(prefix(text, (int) length), specialTokens, false).getIds().length > limit) {
                throw new TextException("more than %d tokens; the model takes at most %d: shorten the text"
                        .formatted(limit, maxTokens));
            }
            if (length == MAX_TEXT) {
                throw new TextException("%d characters; at most %d are read: shorten the text"
                        .formatted(text.length(), MAX_TEXT));
            }
        }
    }

    private static String prefix(String text, int length) {
        return text.substring(0, Character.isHighSurrogate(text.charAt(length - 1)) ? length - 1 : length);
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

    /** @throws TextException as {@link #encode} */
    public Tokens tokens(String text) {
        Encoding encoding = encoding(text);
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
    public synchronized String token(int id) {
        if (tokens.isEmpty()) {
            try {
                tokens = Optional.of(file.tokens());
            } catch (IOException impossible) {
                throw new UncheckedIOException(impossible); // the file was parsed when it was opened
            }
        }
        return tokens.get().getOrDefault(id, "");
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
