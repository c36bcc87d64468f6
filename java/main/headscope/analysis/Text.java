package headscope.analysis;

import java.util.List;

/** One line of a file of texts. */
public sealed interface Text {
    /** Line number, from 1. */
    int line();

    /**
     * A prompt that the model answers; the label is 1 if its answer is none of the expected ones.
     *
     * @param answers at least one
     */
    record Question(int line, String prompt, List<String> answers) implements Text {}

    /** A text with a given label, which the model reads unchanged. */
    record Labelled(int line, String text, int label) implements Text {}
}
