package headscope.analysis;

/** One line of a file of texts. */
public sealed interface Text {
    /** Counted from 1. */
    int line();

    /** The model answers; label 1 where its answer differs from the expected one. */
    record Question(int line, String prompt, String answer) implements Text {}

    /** Read as it stands. */
    record Labelled(int line, String text, int label) implements Text {}
}
