package headscope.analysis;

/** One line of a file of texts. */
public sealed interface Text {
    /** Line number, from 1. */
    int line();

    /** A prompt that the model answers; the label is 1 if its answer differs from the expected one. */
    record Question(int line, String prompt, String answer) implements Text {}

    /** A text with a given label, which the model reads unchanged. */
    record Labelled(int line, String text, int label) implements Text {}
}
