package headscope.analysis;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** One text of a file of texts. */
public sealed interface Text {
    /** Where it is in the file. */
    Entry entry();

    /** The label that the file gives, which takes precedence over grading. */
    OptionalInt label();

    /** The prompt, or the text itself. */
    String prompt();

    /** A text with a given label, which the model reads unchanged. */
    record Labelled(Entry entry, String text, OptionalInt label) implements Text {
        @Override
        public String prompt() {
            return text;
        }
    }

    /**
     * A prompt that the model answers. Without a given label, the label is 1 if the answer is none of the expected ones.
     *
     * @param answers   accepted answers; empty only if the label is given
     * @param generated an answer that the model reads instead of generating one
     */
    record Question(
            Entry entry, String prompt, List<String> answers, Optional<Generated> generated, OptionalInt label)
            implements Text {}

    /**
     * A prompt of which the model chooses the most probable continuation. Without a given label, the label is 1 if its
     * choice is not the right one.
     *
     * @param choices   at least two different continuations
     * @param right     index of the right one; empty only if the label is given
     * @param generated a choice that the model reads instead of choosing
     */
    record Choice(
            Entry entry, String prompt, List<String> choices, OptionalInt right, Optional<Generated> generated,
            OptionalInt label) implements Text {}

    /**
     * An answer that a model has given before.
     *
     * @param tokens those that the model generated; empty if they are unknown
     */
    record Generated(String text, List<Integer> tokens) {}
}
