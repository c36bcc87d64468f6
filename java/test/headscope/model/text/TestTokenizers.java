package headscope.model.text;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/** A byte-level tokenizer of 320 tokens that puts a begin-of-text token before a text, unchanged or modified. */
public final class TestTokenizers {
    public static final int BEGIN = 1;
    public static final int END = 2;

    private static final ObjectMapper JSON = new ObjectMapper();

    private TestTokenizers() {}

    public static Tokenizer byteLevel(Path folder) {
        return modified(folder, same -> {});
    }

    /** One whose template also puts an end-of-text token after a text. */
    public static Tokenizer withEndOfText(Path folder) {
        return modified(folder, TestTokenizers::addEndOfText);
    }

    public static void addEndOfText(ObjectNode json) {
        json.withArray("/post_processor/single").addObject().putObject("SpecialToken").put("id", "<eos>").put("type_id", 0);
        ObjectNode token = json.withObject("/post_processor/special_tokens").putObject("<eos>").put("id", "<eos>");
        token.putArray("ids").add(END);
        token.putArray("tokens").add("<eos>");
    }

    public static Tokenizer modified(Path folder, Consumer<ObjectNode> change) {
        write(folder, change);
        return Tokenizer.open(folder);
    }

    /** Writes tokenizer.json into a folder. */
    public static void write(Path folder, Consumer<ObjectNode> change) {
        try (InputStream stored = TestTokenizers.class.getResourceAsStream("/headscope/tokenizers/byte-level.json")) {
            ObjectNode json = (ObjectNode) JSON.readTree(stored);
            change.accept(json);
            Files.writeString(folder.resolve("tokenizer.json"), JSON.writeValueAsString(json));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
