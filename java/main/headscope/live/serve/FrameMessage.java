package headscope.live.serve;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.live.SourceStatus;
import headscope.result.frame.AtlasBlock;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;

/** A frame as one binary message; its layout is in {@code docs/live-protocol.md}. */
final class FrameMessage {
    static final int MAGIC = 0x31465348; // the bytes "HSF1"

    private static final int ALIGNMENT = 8;

    private final FrameSource source;
    private final CellFormat format;
    private final Frame frame;
    private final ObjectNode header = JsonNodeFactory.instance.objectNode();
    private final List<Consumer<ByteBuffer>> sections = new ArrayList<>();
    private int bytes;

    private FrameMessage(FrameSource source, Frame frame) {
        this.source = source;
        this.format = CellFormat.of(source);
        this.frame = frame;
    }

    /**
     * @param number by which the viewer confirms the message
     * @param status of the producer
     */
    static ByteBuffer encode(FrameSource source, int number, Frame frame, SourceStatus status) {
        FrameMessage message = new FrameMessage(source, frame);
        message.state(number);
        message.source(status);
        message.tokens();
        message.metrics();
        message.atlas();
        frame.chosen().ifPresent(message::chosen);
        return message.assemble();
    }

    private void state(int number) {
        header.put("frame", number)
                .put("text", frame.text())
                .put("state", frame.state().name().toLowerCase(Locale.ROOT))
                .put("message", frame.message())
                .put("step", frame.step())
                .put("firstToken", frame.firstToken())
                .put("layersRead", frame.layersRead())
                .put("bin", frame.bin())
                .put("cells", frame.cells())
                .put("memoryBytes", frame.memoryBytes())
                .put("dropped", frame.dropped());
        if (Double.isFinite(frame.tokensPerSecond())) {
            header.put("tokensPerSecond", frame.tokensPerSecond());
        }
    }

    private void source(SourceStatus status) {
        status.played().ifPresent(share -> header.put("played", share));
        if (status.skipped() > 0) {
            header.put("skipped", status.skipped());
        }
        if (status.lost() > 0) {
            header.put("lost", status.lost());
        }
    }

    private void tokens() {
        ArrayNode tokens = header.putArray("tokens");
        frame.tokens().forEach(token -> tokens.addArray().add(token.id()).add(token.name()));
    }

    private void metrics() {
        ObjectNode metrics = header.putObject("metrics");
        source.metrics().forEach(metric -> {
            float[] values = frame.metrics().get(metric.key());
            if (values != null) {
                metrics.put(metric.key(), floats(values));
            }
        });
    }

    private void atlas() {
        ArrayNode blocks = header.putArray("atlas");
        for (AtlasBlock block : frame.atlas()) {
            blocks.addObject()
                    .put("layer", block.layer())
                    .put("firstRow", block.firstRow())
                    .put("rows", block.rows())
                    .put("offset", section(source.heads() * block.rows() * frame.cells() * format.bytes(),
                            out -> cells(out, block.values())));
        }
    }

    /** The columns that the text fills. */
    private void cells(ByteBuffer out, float[] values) {
        for (int row = 0; row < values.length; row += source.side()) {
            for (int column = 0; column < frame.cells(); column++) {
                format.put(out, values[row + column]);
            }
        }
    }

    private void chosen(ChosenHead chosen) {
        header.putObject("chosen")
                .put("layer", chosen.layer())
                .put("head", chosen.head())
                .put("bin", chosen.bin())
                .put("firstRow", chosen.firstRow())
                .put("rows", chosen.rows())
                .put("columns", chosen.columns())
                .put("tokens", chosen.tokens())
                .put("offset", section(chosen.values().length * CellFormat.F16.bytes(), out -> {
                    for (float value : chosen.values()) {
                        CellFormat.F16.put(out, value);
                    }
                }))
                .put("eigenvalueCount", chosen.eigenvalues().length)
                .put("eigenvalues", floats(chosen.eigenvalues()));
    }

    private int floats(float[] values) {
        return section(values.length * Float.BYTES, out -> {
            for (float value : values) {
                out.putFloat(value);
            }
        });
    }

    /** @return where it begins, from the end of the header */
    private int section(int length, Consumer<ByteBuffer> write) {
        int offset = bytes;
        sections.add(out -> {
            write.accept(out);
            out.position(aligned(out.position()));
        });
        bytes = aligned(bytes + length);
        return offset;
    }

    private ByteBuffer assemble() {
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        int start = aligned(2 * Integer.BYTES + json.length);
        ByteBuffer out = ByteBuffer.allocate(Math.addExact(start, bytes)).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(MAGIC).putInt(json.length).put(json).position(start);
        sections.forEach(section -> section.accept(out));
        return out.flip();
    }

    private static int aligned(int position) {
        return Math.ceilDiv(position, ALIGNMENT) * ALIGNMENT;
    }
}
