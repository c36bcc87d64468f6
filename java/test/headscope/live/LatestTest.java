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
        List<Frame> stream = random.stream();
        for (int i = 0; i < 100; i++) {
            stream.forEach(slot::put);
        }
        Frame joined = slot.take().orElseThrow();
        assertTrue(joined.atlas().size() <= RandomFrames.LAYERS * (RandomFrames.SIDE + 1));
        assertEquals(100L * stream.size() - 1, joined.dropped());
        assertEquals(100L * stream.size() - 1, slot.dropped());
    }

    /** Every frame is taken or counted as dropped, also while the producer runs. */
    @Test
    void noFrameIsLostBetweenTwoThreads() throws InterruptedException {
        Latest slot = new Latest();
        List<Frame> stream = random.stream();
        List<Frame> first = stream.stream().filter(frame -> frame.text() == 0).toList();
        Thread producer = Thread.ofPlatform().start(() -> {
            for (int i = 0; i < 5000; i++) {
                stream.forEach(slot::put);
            }
            first.forEach(slot::put);
        });
        LiveText seen = new LiveText(RandomFrames.SOURCE);
        LiveText expected = new LiveText(RandomFrames.SOURCE);
        first.forEach(expected::add);
        long taken = 0;
        long dropped = 0;
        for (boolean more = true; more; ) {
            more = producer.isAlive();
            Optional<Frame> next = slot.take(Duration.ofMillis(10));
            if (next.isPresent()) {
                seen.add(next.get());
                taken++;
                dropped = next.get().dropped();
            }
        }
        assertEquals(5000L * stream.size() + first.size(), taken + dropped);
        assertEquals(expected.tokens(), seen.tokens());
        assertArrayEquals(expected.atlas(), seen.atlas());
        assertArrayEquals(expected.map(), seen.map());
    }

    @Test
    void anEmptySlotGivesNothingAfterTheTimeout() throws InterruptedException {
        assertEquals(Optional.empty(), new Latest().take(Duration.ofMillis(5)));
    }
}
