package headscope.picture;

import headscope.result.FunctionsResult;
import headscope.result.GatesResult;
import headscope.result.Manifest;
import headscope.result.SaliencyResult;
import headscope.result.SpectraResult;
import headscope.result.SpectraView;

/** How to read the main figure of an analysis, in one or two sentences. */
public final class Legend {
    private Legend() {}

    /** @param run the manifest of a run; empty text for an analysis that has no figure */
    public static String of(Manifest run) {
        return switch (run.analysis()) {
            case SpectraResult.ANALYSIS ->
                    "One heatmap per metric, with one row per layer and one column per head. " + spectra(SpectraView.shown(run));
            case SaliencyResult.ANALYSIS ->
                    "A layers x heads grid, in which bright cells are heads with high saliency, and the map of one head.";
            case FunctionsResult.ANALYSIS -> "One heatmap per function with one row per layer and one column per head: the"
                    + " lighter the cell, the more the head contributes to the probe's prediction.";
            case GatesResult.ANALYSIS -> "Heatmaps with one row per layer and one column per head: red cells are heads whose"
                    + " score is high in every seed (Always) or in at least one (Any).";
            default -> "";
        };
    }

    private static String spectra(SpectraView.Shown shown) {
        return switch (shown) {
            case P, LOG10P, Q -> "A dark cell is a head whose values differ between texts with label 0 and with label 1 (small %s)."
                    .formatted(shown == SpectraView.Shown.Q ? "q" : "p");
            case EFFECT, AUROC -> "A red cell is a head whose values are larger in texts with label 1, a blue cell one whose"
                    + " values are larger in texts with label 0.";
        };
    }
}
