package headscope.analysis.functions;

import headscope.result.MaskingTable;
import java.util.List;
import java.util.Optional;

/**
 * The findings of a functions run, for its summary.
 *
 * @param train     number of training texts
 * @param test      number of test texts
 * @param heads     number of heads in all layers
 * @param perLayer  number of heads in a layer
 * @param loss      mean training loss of the last epoch, nats
 * @param accuracy  of the probe on the test texts
 * @param majority  accuracy of always predicting the most frequent function of the training texts
 * @param threshold heads whose importance exceeds it are counted
 */
public record FunctionsSummary(
        int train, int test, int heads, int perLayer, double loss, double accuracy, double majority, double threshold,
        List<Function> functions, Optional<MaskingTable> ablation) {

    /**
     * The findings for one function.
     *
     * @param test        number of test texts
     * @param accuracy    accuracy of the probe on them
     * @param answered    share of them that the model answers right
     * @param beforeElbow number of heads before the elbow of the sorted importance
     * @param above       number of heads whose importance exceeds the threshold
     * @param importance  of each head, signed, [layers, heads]
     */
    public record Function(
            String name, int test, double accuracy, double answered, int beforeElbow, int above, double[] importance) {}

    /** Accuracy of predicting a function at random. */
    public double chance() {
        return 1.0 / functions.size();
    }
}
