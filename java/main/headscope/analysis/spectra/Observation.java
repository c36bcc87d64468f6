package headscope.analysis.spectra;

import java.util.List;

/**
 * What was seen of one text.
 *
 * @param index    of the text in its file, from 0
 * @param tokens   T
 * @param label    1 for a wrong answer, or as the file says
 * @param answer   the model's; empty where it was not asked
 * @param expected the file's; empty where the model was not asked
 * @param values   one array per metric, in the order of the request: [layers * heads * values per head]
 */
record Observation(int index, int tokens, int label, String answer, String expected, List<float[]> values) {}
