package headscope.live.screen;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.ViewState.Mode;
import headscope.render.Image;
import headscope.result.frame.Frame;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A screen that has followed a text shows the same as one that is opened at its end. */
final class OffscreenLiveTest {
    @ParameterizedTest
    @EnumSource(Mode.class)
    void followsEveryFrame(Mode mode) {
        SampleFrames frames = new SampleFrames(3, 5, 7);
        List<Frame> stream = new ArrayList<>(List.of(frames.whole(61, 1, 2)));
        for (int token = 61; token < 70; token++) {
            stream.add(frames.next(token - 60, token, 1, 2)); // from 64 on, two tokens a cell and a larger texture
        }
        stream.add(second(frames.whole(20, 2, 4))); // a shorter text in the same textures
        for (int token = 20; token < 24; token++) {
            stream.add(second(frames.next(token, token, 2, 4)));
        }
        LiveText text = new LiveText(frames.source());
        Image followed = null;
        try (OffscreenLive following = OffscreenLive.open(text)) {
            for (Frame frame : stream) {
                text.add(frame);
                followed = image(following, mode);
            }
        }
        try (OffscreenLive late = OffscreenLive.open(text)) {
            assertArrayEquals(image(late, mode).argb(), followed.argb());
        }
    }

    private static Frame second(Frame frame) {
        return new Frame(1, frame.state(), frame.message(), frame.step(), frame.firstToken(), frame.tokens(),
                frame.layersRead(), frame.metrics(), frame.bin(), frame.atlas(), frame.chosen(), frame.tokensPerSecond(),
                frame.memoryBytes(), frame.dropped());
    }

    private static Image image(OffscreenLive screen, Mode mode) {
        ViewState start = ViewState.of("entropy");
        ViewState state = new ViewState(mode, start.metric(), start.colormap(), true, true, 1, 2, start.token(), false,
                start.textTop(), start.grid(), start.map(), true, false);
        return screen.image(state, ScreenStatus.NONE, 1280, 800, 1);
    }
}
