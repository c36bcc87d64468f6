package headscope.analysis.answers;

import java.util.List;

/**
 * The answers of a model, for a summary.
 *
 * @param prompts number of prompts
 * @param label0  number of answers with label 0: right, or so labelled by the file
 * @param label1  number of answers with label 1
 * @param given   number of labels that the file gives
 * @param solved  number of prompts with at least one answer of label 0
 * @param first   the first answers
 */
public record AnswersSummary(int prompts, int label0, int label1, int given, int solved, List<Example> first) {
    /** @param expected empty without expected answers */
    public record Example(String prompt, String answer, String expected, int label) {}

    public int answers() {
        return label0 + label1;
    }
}
