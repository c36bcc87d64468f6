package headscope.result.frame;

/** What a viewer asks of the model or of the recording whose frames it shows. Every command is carried out, in order. */
public sealed interface Command {
    /** Stops before the next token until {@link Resume} or {@link Step}. */
    record Pause() implements Command {}

    record Resume() implements Command {}

    /** Computes one token, then pauses. */
    record Step() implements Command {}

    /** Shows this head closely: its map, its eigenvalues. A head that the model does not have is ignored. */
    record Pick(int layer, int head) implements Command {}

    /** Ends the text, which stays on show until {@link Restart} or {@link Stop}. */
    record End() implements Command {}

    /** Begins a new text with this prompt; a prompt that the model cannot read is refused in a frame's message. */
    record Restart(String prompt) implements Command {}

    /** Shows the text as it was some tokens earlier, if negative, or later; for recordings. */
    record Move(int tokens) implements Command {}

    /** Plays this many times as fast as before; for recordings. */
    record Speed(double times) implements Command {
        public Speed {
            if (!(times > 0)) {
                throw new IllegalArgumentException("a speed of " + times + ", not above 0");
            }
        }
    }

    /** Ends the stream. */
    record Stop() implements Command {}
}
