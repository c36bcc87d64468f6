package headscope.analysis.spectra;

import headscope.analysis.InputException;
import headscope.analysis.Text;
import headscope.analysis.answers.TextTokens;
import headscope.analysis.statistics.RandomStreams;
import java.util.random.RandomGenerator;

/**
 * A text of a run.
 *
 * @param index in its file, from 0
 */
record IndexedText(int index, Text text, TextTokens tokens) {
    /** For sampling. */
    RandomGenerator random(SpectraRequest request) {
        return RandomStreams.of(request.answering().seed(), index);
    }

    /**
     * Whether a text with this number of tokens is too short and skipped.
     *
     * @throws InputException if it is too short and not skipped
     */
    boolean isSkipped(int read, SpectraRequest request) {
        if (read >= request.k()) {
            return false;
        }
        if (!request.skipShort()) {
            throw tooShort(text, read, request.k());
        }
        return true;
    }

    static InputException tooShort(Text text, int tokens, int k) {
        return text.entry().wrong(("%d tokens give %d eigenvalues, but --k is %d: lower --k, or skip such texts with"
                + " --short skip").formatted(tokens, tokens, k));
    }
}
