package headscope.analysis.functions;

import headscope.result.MaskingTable;
import java.util.List;
import java.util.Optional;

/**
 * What a functions run found, for people.
 *
 * @param train     texts that the probe learned from
 * @param test      texts kept from it
 * @param heads     of all layers
 * @param loss      of the last epoch, nats
 * @param accuracy  of the probe on the test texts
 * @param majority  accuracy of always saying the function that most training texts ask for
 * @param threshold above which importance counts
 */
public record FunctionsSummary(
        int train, int test, int heads, double loss, double accuracy, double majority, double threshold,
        List<Function> functions, Optional<MaskingTable> masking) {

    /**
     * What was found of one function.
     *
     * @param test        texts
     * @param accuracy    of the probe on them
     * @param answered    share of them that the model answers right
     * @param beforeElbow heads before the bend of the curve of their importance
     * @param above       heads whose importance is above the threshold
     */
    public record Function(String name, int test, double accuracy, double answered, int beforeElbow, int above) {}

    /** Accuracy of saying any function. */
    public double chance() {
        return 1.0 / functions.size();
    }
}
