package headscope.analysis;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/**
 * How the chats of a file were rendered.
 *
 * @param file   of the template, in the model's folder
 * @param digest SHA-256 of the template in UTF-8, in hexadecimal
 * @param system system message that was added
 * @param date   that the template may use
 */
record ChatUse(String file, String digest, Optional<String> system, Optional<String> date) {
    void describe(ObjectNode texts) {
        ObjectNode chat = texts.putObject("chat");
        chat.put("template", file);
        chat.put("template_sha256", digest);
        system.ifPresent(text -> chat.put("system", text));
        date.ifPresent(day -> chat.put("date", day));
    }
}
