package headscope.live.serve;

import com.fasterxml.jackson.databind.JsonNode;
import headscope.result.frame.AtlasBlock;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.result.frame.Frame.Token;
import headscope.result.frame.FrameSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** A binary message, read as {@code docs/live-protocol.md} describes it. */
record DecodedFrame(JsonNode header, Frame frame) {
    int number() {
        return header.get("frame").intValue();
    }

    static DecodedFrame of(ByteBuffer message, FrameSource source, String cellFormat) throws IOException {
        ByteBuffer in = message.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        byte[] magic = new byte[4];
        in.get(magic);
        if (!new String(magic, StandardCharsets.US_ASCII).equals("HSF1")) {
            throw new IOException("not a frame");
        }
        byte[] json = new byte[in.getInt()];
        in.get(json);
        int start = Math.ceilDiv(in.position(), 8) * 8;
        JsonNode header = ViewerMessage.JSON.readTree(json);
        ByteBuffer sections = message.slice(start, message.limit() - start).order(ByteOrder.LITTLE_ENDIAN);

        List<Token> tokens = new ArrayList<>();
        header.get("tokens").forEach(token -> tokens.add(new Token(token.get(0).intValue(), token.get(1).textValue())));
        Map<String, float[]> metrics = new HashMap<>();
        header.get("metrics").properties().forEach(metric -> metrics.put(
                metric.getKey(), floats(sections, metric.getValue().intValue(), source.layers() * source.heads(), "f32")));
        int cells = header.get("cells").intValue();
        List<AtlasBlock> blocks = new ArrayList<>();
        for (JsonNode block : header.get("atlas")) {
            int rows = block.get("rows").intValue();
            float[] filled = floats(
                    sections, block.get("offset").intValue(), source.heads() * rows * cells, cellFormat);
            float[] values = new float[source.heads() * rows * source.side()];
            for (int row = 0; row < source.heads() * rows; row++) {
                System.arraycopy(filled, row * cells, values, row * source.side(), cells);
            }
            blocks.add(new AtlasBlock(block.get("layer").intValue(), block.get("firstRow").intValue(), rows, values));
        }
        return new DecodedFrame(header, new Frame(
                header.get("text").intValue(), State.valueOf(header.get("state").textValue().toUpperCase(Locale.ROOT)),
                header.get("message").textValue(), header.get("step").intValue(), header.get("firstToken").intValue(),
                tokens, header.get("layersRead").intValue(), metrics, header.get("bin").intValue(), blocks,
                Optional.ofNullable(header.get("chosen")).map(chosen -> chosen(sections, chosen)),
                header.path("tokensPerSecond").asDouble(Double.NaN), header.get("memoryBytes").longValue(),
                header.get("dropped").longValue()));
    }

    private static ChosenHead chosen(ByteBuffer sections, JsonNode chosen) {
        int columns = chosen.get("columns").intValue();
        return new ChosenHead(
                chosen.get("layer").intValue(), chosen.get("head").intValue(), chosen.get("bin").intValue(),
                chosen.get("firstRow").intValue(), columns,
                floats(sections, chosen.get("offset").intValue(), chosen.get("rows").intValue() * columns, "f16"),
                floats(sections, chosen.get("eigenvalues").intValue(), chosen.get("eigenvalueCount").intValue(), "f32"),
                chosen.get("tokens").intValue());
    }

    private static float[] floats(ByteBuffer sections, int offset, int count, String format) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = switch (format) {
                case "f32" -> sections.getFloat(offset + 4 * i);
                case "f16" -> Float.float16ToFloat(sections.getShort(offset + 2 * i));
                case "u8" -> (sections.get(offset + i) & 255) / 255f;
                default -> throw new IllegalArgumentException(format);
            };
        }
        return values;
    }
}
