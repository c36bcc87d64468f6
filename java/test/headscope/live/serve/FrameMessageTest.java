package headscope.live.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.live.LiveText;
import headscope.live.SourceStatus;
import headscope.result.frame.AtlasBlock;
import headscope.result.frame.Frame;
import headscope.result.frame.Frame.State;
import headscope.result.frame.Frame.Token;
import headscope.result.frame.FrameSource;
import headscope.result.frame.RandomFrames;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

/** What a viewer decodes is what the stream gave, rounded as its format says. */
final class FrameMessageTest {
    private static final double U8_ROUNDING = 0.5 / 255;

    @Test
    void decodedFramesAddUpToTheSameText() throws IOException {
        LiveText expected = new LiveText(RandomFrames.SOURCE);
        LiveText decoded = new LiveText(RandomFrames.SOURCE);
        int number = 0;
        for (Frame frame : new RandomFrames(new Random(3)).stream()) {
            ByteBuffer message = FrameMessage.encode(RandomFrames.SOURCE, ++number, frame, SourceStatus.NONE);
            DecodedFrame received = DecodedFrame.of(message, RandomFrames.SOURCE, "f16");
            expected.add(frame);
            decoded.add(received.frame());
            assertEquals(number, received.number());
            assertEquals(frame.text(), received.frame().text());
            assertEquals(frame.state(), received.frame().state());
            assertEquals(frame.tokens(), received.frame().tokens());
            assertEquals(frame.bin(), received.frame().bin());
            assertEquals(expected.tokens(), decoded.tokens());
            assertTrue(equal(expected.metric("entropy").orElseThrow(), decoded.metric("entropy").orElseThrow(), _ -> 0));
            assertTrue(equal(filled(expected), filled(decoded), FrameMessageTest::rounding));
            assertTrue(equal(expected.map(), decoded.map(), FrameMessageTest::rounding));
        }
    }

    /** Of half precision: relative, and absolute for the smallest numbers. */
    private static double rounding(float value) {
        return Math.max(0x1p-11 * value, 0x1p-25);
    }

    /** The cells up to the diagonal: the others had no token when their row was given, and do not travel. */
    private static float[] filled(LiveText text) {
        int side = RandomFrames.SIDE;
        float[] values = text.atlas().clone();
        for (int i = 0; i < values.length; i++) {
            values[i] = i % side <= i / side % side ? values[i] : 0;
        }
        return values;
    }

    private static boolean equal(float[] expected, float[] actual, ToDoubleFunction<Float> tolerance) {
        boolean equal = expected.length == actual.length;
        for (int i = 0; equal && i < expected.length; i++) {
            equal = Math.abs(expected[i] - actual[i]) <= tolerance.applyAsDouble(Math.abs(expected[i]));
        }
        return equal;
    }

    @Test
    void aThousandHeadsTravelInEightBits() throws IOException {
        FrameSource source = new FrameSource("large", "none", 32, 32, true, List.of(), 64, "maximum", 0);
        assertEquals(CellFormat.U8, CellFormat.of(source));
        assertEquals(CellFormat.F16, CellFormat.of(new FrameSource("small", "none", 16, 32, true, List.of(), 64, "maximum", 0)));
        Frame whole = frame(source, 64, 0, 64);
        assertEquals(4 << 20, FrameMessage.encode(source, 1, whole, SourceStatus.NONE).remaining(), 8_000);
        Frame row = frame(source, 64, 63, 1);
        ByteBuffer message = FrameMessage.encode(source, 2, row, SourceStatus.NONE);
        assertEquals(64 << 10, message.remaining(), 4_000);
        Frame decoded = DecodedFrame.of(message, source, "u8").frame();
        for (int layer = 0; layer < 32; layer++) {
            assertTrue(equal(row.atlas().get(layer).values(), decoded.atlas().get(layer).values(), _ -> U8_ROUNDING));
        }
    }

    private static Frame frame(FrameSource source, int tokens, int firstRow, int rows) {
        Random random = new Random(5);
        List<AtlasBlock> blocks = new ArrayList<>();
        for (int layer = 0; layer < source.layers(); layer++) {
            float[] values = new float[source.heads() * rows * source.side()];
            for (int i = 0; i < values.length; i++) {
                values[i] = random.nextFloat();
            }
            blocks.add(new AtlasBlock(layer, firstRow, rows, values));
        }
        List<Token> last = List.of(new Token(7, "\"<b>\n\u20ac"));
        return new Frame(0, State.PAUSED, "a message", 3, tokens - 1, last, source.layers(), Map.of(), 1, blocks,
                Optional.empty(), 12.5, 1L << 40, 5);
    }

    @Test
    void everyFieldTravels() throws IOException {
        FrameSource source = new FrameSource("small", "none", 1, 1, true, List.of(), 64, "maximum", 0);
        Frame frame = frame(source, 64, 63, 1);
        Frame decoded = DecodedFrame.of(FrameMessage.encode(source, 1, frame, SourceStatus.NONE), source, "f16").frame();
        assertEquals(frame.tokens(), decoded.tokens());
        assertEquals(State.PAUSED, decoded.state());
        assertEquals("a message", decoded.message());
        assertEquals(3, decoded.step());
        assertEquals(63, decoded.firstToken());
        assertEquals(12.5, decoded.tokensPerSecond());
        assertEquals(1L << 40, decoded.memoryBytes());
        assertEquals(5, decoded.dropped());
    }
}
