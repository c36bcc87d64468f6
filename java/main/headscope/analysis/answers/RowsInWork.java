package headscope.analysis.answers;

import headscope.analysis.Progress;
import headscope.model.LayerHook;
import headscope.tensor.Tensor;

/** Progress of texts that pass through a model together and end one after the other: the rows of those that have not ended. */
public final class RowsInWork implements LayerHook {
    private final double rowsOfText;
    private final int layers;
    private final Progress progress;
    private double rows;

    /** @param rowsOfText tokens of a text, on average */
    public RowsInWork(double rowsOfText, int layers, Progress progress) {
        this.rowsOfText = rowsOfText;
        this.layers = layers;
        this.progress = progress;
    }

    @Override
    public void headOutputs(int layer, Tensor heads) {
        add((double) heads.size(0) / layers);
    }

    @Override
    public boolean onlyCounts() {
        return true;
    }

    @Override
    public void passed(int tokens) {
        add(tokens);
    }

    private void add(double more) {
        rows += more;
        progress.within(rows / rowsOfText);
    }

    /** Called when a text of this many tokens has ended. */
    public void end(int tokens) {
        rows -= tokens;
    }
}
