package headscope.cli.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a user sees of long work, by a clock that the test sets. */
class ProgressLineTest {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private long nanoseconds;

    private ProgressLine line(boolean terminal) {
        return new ProgressLine("observing", "texts", new PrintStream(bytes, true, StandardCharsets.UTF_8), terminal,
                () -> nanoseconds);
    }

    private void after(double seconds) {
        nanoseconds += (long) (seconds * 1e9);
    }

    private List<String> shown() {
        return bytes.toString(StandardCharsets.UTF_8).replace("\033[K", "").replace('\r', '\n').lines()
                .filter(line -> !line.isEmpty()).toList();
    }

    @Test
    void aLinePerTenth() {
        try (ProgressLine progress = line(false)) {
            progress.reached(0, 40);
            for (int i = 1; i <= 40; i++) {
                progress.within(0.5);
                progress.reached(i, 40);
            }
        }
        assertEquals("observing: 4 of 40", shown().getFirst());
        assertEquals(10, shown().size());
        assertEquals("observing: 40 of 40", shown().getLast());
    }

    @Test
    void aLongTextHasLinesOfItsOwn() {
        try (ProgressLine progress = line(false)) {
            progress.reached(0, 2);
            for (int i = 1; i <= 10; i++) {
                after(1);
                progress.within(i / 10.0);
            }
            progress.reached(1, 2);
        }
        assertEquals(List.of("observing: 0 of 2, 20 % of the next", "observing: 0 of 2, 40 % of the next",
                "observing: 0 of 2, 60 % of the next", "observing: 0 of 2, 80 % of the next",
                "observing: 1 of 2"), shown());
    }

    /** A batch of six texts: the number of texts that its progress amounts to. */
    @Test
    void aBatchCountsAsItsTexts() {
        try (ProgressLine progress = line(false)) {
            progress.reached(0, 10);
            for (int i = 1; i <= 4; i++) {
                after(3);
                progress.within(6 * i / 4.0);
            }
            progress.reached(6, 10);
            progress.within(9);
            progress.reached(10, 10);
        }
        assertEquals(List.of("observing: 1 of 10, 50 % of the next", "observing: 3 of 10",
                "observing: 4 of 10, 50 % of the next", "observing: 6 of 10", "observing: 10 of 10"), shown());
    }

    @Test
    void rateAndTimeLeftAppearOnceTheyAreKnown() {
        String empty = "\u2591".repeat(20);
        String half = "\u2588".repeat(10) + "\u2591".repeat(10);
        try (ProgressLine progress = line(true)) {
            progress.reached(0, 8);
            after(0.5);
            progress.reached(0, 8);
            after(2);
            progress.reached(4, 8);
            after(1000);
            progress.reached(8, 8);
        }
        assertEquals(List.of(
                "observing   0 % " + empty + " 0 of 8 texts",
                "observing   0 % " + empty + " 0 of 8 texts",
                "observing  50 % " + half + " 4 of 8 texts, 1.6 texts/s, 0:03 left",
                "observing 100 % " + "\u2588".repeat(20) + " 8 of 8 texts, one in 125 s"), shown());
    }

    /** 90 texts of an interrupted run come back in no time. */
    @Test
    void resumedPartsDoNotCount() {
        try (ProgressLine progress = line(true)) {
            progress.reached(0, 100);
            for (int i = 1; i <= 90; i++) {
                after(0.001);
                progress.reached(i, 100);
            }
            progress.within(0);
            after(30);
            progress.within(0.5);
        }
        assertEquals("observing  90 % " + "\u2588".repeat(18) + "\u2591\u2591"
                + " 90 of 100 texts, one in 60 s, 9:30 left", shown().getLast());
    }
}
