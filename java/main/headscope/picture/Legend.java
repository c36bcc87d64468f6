package headscope.picture;

import headscope.result.FunctionsResult;
import headscope.result.GatesResult;
import headscope.result.SaliencyResult;
import headscope.result.SpectraResult;

/** How to read the main figure of an analysis, in one or two sentences. */
public final class Legend {
    private Legend() {}

    /** @param analysis {@link headscope.result.Manifest#analysis} of a run; empty text for one that has no figure */
    public static String of(String analysis) {
        return switch (analysis) {
            case SpectraResult.ANALYSIS -> "One heatmap per metric, with one row per layer and one column per head. A dark"
                    + " cell is a head whose values differ between texts with label 0 and with label 1 (small p).";
            case SaliencyResult.ANALYSIS ->
                    "A layers x heads grid, in which bright cells are heads with high saliency, and the map of one head.";
            case FunctionsResult.ANALYSIS -> "One heatmap per function with one row per layer and one column per head: the"
                    + " lighter the cell, the more the head contributes to the probe's prediction.";
            case GatesResult.ANALYSIS -> "Heatmaps with one row per layer and one column per head: red cells are heads whose"
                    + " score is high in every seed (Always) or in at least one (Any).";
            default -> "";
        };
    }
}
