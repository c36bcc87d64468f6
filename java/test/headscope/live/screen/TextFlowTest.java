package headscope.live.screen;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.Seed;
import headscope.result.frame.Frame.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Letters are 10 pixels wide. */
final class TextFlowTest {
    private static final double WIDTH = 200;

    private static TextFlow flow() {
        return new TextFlow(WIDTH, 5, name -> 10.0 * name.length());
    }

    private static List<Token> tokens(String... names) {
        return List.of(names).stream().map(name -> new Token(0, name)).toList();
    }

    @Test
    void linesBreakAtTheWidthAndAfterNewlines() {
        TextFlow flow = flow();
        flow.update(tokens("0123456789", "01234567", "x", "\\n", "y", "0123456789012345678901234567890123456789", "z"));
        assertEquals(5, flow.lines());
        assertEquals(List.of(0, 3, 4, 5, 6), List.of(flow.start(0), flow.start(1), flow.start(2), flow.start(3), flow.start(4)));
        assertEquals(OptionalInt.of(1), flow.at(0, 110));
        assertEquals(OptionalInt.of(5), flow.at(3, 199));
        assertEquals(OptionalInt.empty(), flow.at(4, 50));
    }

    @Test
    void growingATextGivesTheLinesOfTheWholeText() {
        Random random = Seed.random("flow");
        TextFlow grown = flow();
        List<Token> tokens = new ArrayList<>();
        for (int round = 0; round < 60; round++) {
            int kept = random.nextInt(4) == 0 ? random.nextInt(tokens.size() + 1) : tokens.size();
            tokens.subList(kept, tokens.size()).clear();
            for (int i = random.nextInt(9); i > 0; i--) {
                tokens.add(new Token(i, random.nextInt(9) == 0 ? "\\n" : "x".repeat(1 + random.nextInt(25))));
            }
            grown.update(tokens);
            TextFlow whole = flow();
            whole.update(tokens);
            assertEquals(whole.lines(), grown.lines());
            for (int line = 0; line < whole.lines(); line++) {
                assertEquals(whole.start(line), grown.start(line));
                assertEquals(whole.end(line), grown.end(line));
                for (int token = grown.start(line); token < grown.end(line); token++) {
                    assertEquals(whole.left(token), grown.left(token));
                    assertTrue(grown.right(token) <= WIDTH);
                }
            }
        }
    }
}
