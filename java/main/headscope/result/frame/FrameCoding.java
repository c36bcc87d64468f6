package headscope.result.frame;

import headscope.result.frame.Frame.State;
import headscope.result.frame.Frame.Token;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A frame as the content of a record: its fields in their order; texts and arrays after their length. Lossless. */
final class FrameCoding {
    private FrameCoding() {}

    static byte[] encode(RecordedFrame recorded) {
        Frame frame = recorded.frame();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeLong(recorded.nanos());
            out.writeInt(frame.text());
            write(out, frame.state().name());
            write(out, frame.message());
            out.writeInt(frame.step());
            out.writeInt(frame.firstToken());
            out.writeInt(frame.tokens().size());
            for (Token token : frame.tokens()) {
                out.writeInt(token.id());
                write(out, token.name());
            }
            out.writeInt(frame.layersRead());
            out.writeInt(frame.metrics().size());
            for (Map.Entry<String, float[]> metric : new TreeMap<>(frame.metrics()).entrySet()) {
                write(out, metric.getKey());
                write(out, metric.getValue());
            }
            out.writeInt(frame.bin());
            out.writeInt(frame.atlas().size());
            for (AtlasBlock block : frame.atlas()) {
                out.writeInt(block.layer());
                out.writeInt(block.firstRow());
                out.writeInt(block.rows());
                write(out, block.values());
            }
            out.writeBoolean(frame.chosen().isPresent());
            if (frame.chosen().isPresent()) {
                write(out, frame.chosen().get());
            }
            out.writeDouble(frame.tokensPerSecond());
            out.writeLong(frame.memoryBytes());
            out.writeLong(frame.dropped());
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return bytes.toByteArray();
    }

    private static void write(DataOutputStream out, ChosenHead chosen) throws IOException {
        out.writeInt(chosen.layer());
        out.writeInt(chosen.head());
        out.writeInt(chosen.bin());
        out.writeInt(chosen.firstRow());
        out.writeInt(chosen.columns());
        write(out, chosen.values());
        write(out, chosen.eigenvalues());
        out.writeInt(chosen.tokens());
    }

    private static void write(DataOutputStream out, String text) throws IOException {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        out.writeInt(utf8.length);
        out.write(utf8);
    }

    private static void write(DataOutputStream out, float[] values) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * values.length);
        bytes.asFloatBuffer().put(values);
        out.writeInt(values.length);
        out.write(bytes.array());
    }

    /** @throws RuntimeException if the content is not that of a frame */
    static RecordedFrame decode(byte[] content) {
        ByteBuffer in = ByteBuffer.wrap(content);
        long nanos = in.getLong();
        int text = in.getInt();
        State state = State.valueOf(text(in));
        String message = text(in);
        int step = in.getInt();
        int firstToken = in.getInt();
        List<Token> tokens = new ArrayList<>();
        for (int left = in.getInt(); left > 0; left--) {
            tokens.add(new Token(in.getInt(), text(in)));
        }
        int layersRead = in.getInt();
        Map<String, float[]> metrics = new HashMap<>();
        for (int left = in.getInt(); left > 0; left--) {
            metrics.put(text(in), floats(in));
        }
        int bin = in.getInt();
        List<AtlasBlock> atlas = new ArrayList<>();
        for (int left = in.getInt(); left > 0; left--) {
            atlas.add(new AtlasBlock(in.getInt(), in.getInt(), in.getInt(), floats(in)));
        }
        Optional<ChosenHead> chosen = in.get() == 0 ? Optional.empty() : Optional.of(new ChosenHead(
                in.getInt(), in.getInt(), in.getInt(), in.getInt(), in.getInt(), floats(in), floats(in), in.getInt()));
        Frame frame = new Frame(
                text, state, message, step, firstToken, tokens, layersRead, metrics, bin, atlas, chosen, in.getDouble(),
                in.getLong(), in.getLong());
        if (in.hasRemaining()) {
            throw new IllegalArgumentException(in.remaining() + " bytes after the frame");
        }
        return new RecordedFrame(nanos, frame);
    }

    private static String text(ByteBuffer in) {
        byte[] utf8 = new byte[length(in, 1)];
        in.get(utf8);
        return new String(utf8, StandardCharsets.UTF_8);
    }

    private static float[] floats(ByteBuffer in) {
        float[] values = new float[length(in, Float.BYTES)];
        in.asFloatBuffer().get(values);
        in.position(in.position() + Float.BYTES * values.length);
        return values;
    }

    /** The length of what follows, at most what is left. */
    private static int length(ByteBuffer in, int width) {
        int length = in.getInt();
        if (length < 0 || (long) length * width > in.remaining()) {
            throw new IllegalArgumentException("%d elements in %d bytes".formatted(length, in.remaining()));
        }
        return length;
    }
}
