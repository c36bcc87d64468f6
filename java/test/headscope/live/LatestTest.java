package headscope.live;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.result.frame.Frame;
import headscope.result.frame.RandomFrames;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A viewer that takes frames rarely sees the same text as one that takes every frame. */
final class LatestTest {
    private final RandomFrames random = new RandomFrames(new Random(7));

    @Test
    void joinedFramesAddUpToTheSameText() {
        for (int every = 1; every <= 40; every++) {
            Latest slot = new Latest();
            LiveText all = new LiveText(RandomFrames.SOURCE);
            LiveText few = new LiveText(RandomFrames.SOURCE);
            List<Frame> stream = random.stream();
            long taken = 0;
            for (int i = 0; i < stream.size(); i++) {
                all.add(stream.get(i));
                slot.put(stream.get(i));
                if (i % every == every - 1 || i == stream.size() - 1) {
                    few.add(slot.take().orElseThrow());
                    taken++;
                    assertEquals(all.tokens(), few.tokens());
                    assertArrayEquals(all.atlas(), few.atlas());
                    assertArrayEquals(all.map(), few.map());
                    assertArrayEquals(all.metric("entropy").orElseThrow(), few.metric("entropy").orElseThrow());
                }
            }
            assertEquals(stream.size() - taken, few.frame().orElseThrow().dropped());
        }
    }

    @Test
    void joinedFramesStaySmall() {
        Latest slot = new Latest();
        random.stream().forEach(slot::put);
        assertTrue(slot.take().orElseThrow().atlas().size() <= RandomFrames.LAYERS * (RandomFrames.SIDE + 1));
    }

    @Test
    void anEmptySlotGivesNothingAfterTheTimeout() throws InterruptedException {
        assertEquals(Optional.empty(), new Latest().take(Duration.ofMillis(5)));
    }
}
