package headscope.live.serve;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** A PNG file as one binary message; its layout is in {@code docs/live-protocol.md}. */
final class ImageMessage {
    private static final int MAGIC = 0x31495348; // the bytes "HSI1"

    private ImageMessage() {}

    /** @param number by which the viewer confirms the image of its screen */
    static ByteBuffer screen(int number, byte[] png) {
        return encode(JsonNodeFactory.instance.objectNode().put("frame", number), png);
    }

    /** @param name of the file that the viewer saves */
    static ByteBuffer file(String name, byte[] png) {
        return encode(JsonNodeFactory.instance.objectNode().put("name", name), png);
    }

    private static ByteBuffer encode(ObjectNode header, byte[] png) {
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(2 * Integer.BYTES + json.length + png.length).order(ByteOrder.LITTLE_ENDIAN)
                .putInt(MAGIC).putInt(json.length).put(json).put(png).flip();
    }
}
