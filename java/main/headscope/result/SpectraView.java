package headscope.result;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/**
 * What the figure of a spectra run shows.
 *
 * @param drawn     keys of the tested metrics that have a panel, in the order of the panels
 * @param shown     the quantity of the panels
 * @param marked    whether heads with q below the threshold have a dot
 * @param threshold of q
 */
public record SpectraView(List<String> drawn, Shown shown, boolean marked, double threshold) {
    /** The published figure. */
    public static final SpectraView PUBLISHED = new SpectraView(
            List.of("attention_score", "laplacian"), Shown.P, false, TestedHeads.LEVEL);

    private static final String DRAWN = "drawn";
    private static final String SHOWN = "shown";
    private static final String MARKED = "mark_significant";
    private static final String THRESHOLD = "mark_threshold";

    /** A quantity of every head. */
    public enum Shown {
        /** The p-value. */
        P,
        /** Its decimal logarithm. */
        LOG10P,
        /** The p-value corrected for the number of heads. */
        Q,
        /** The rank-biserial correlation. */
        EFFECT,
        /** The area under the ROC curve. */
        AUROC
    }

    public SpectraView {
        drawn = List.copyOf(drawn);
    }

    /** Adds the entries of a manifest. */
    public void write(ObjectNode manifest) {
        drawn.forEach(manifest.putArray(DRAWN)::add);
        manifest.put(SHOWN, Manifest.keyword(shown));
        manifest.put(MARKED, marked);
        manifest.put(THRESHOLD, threshold);
    }

    /** @param tested the metrics that are drawn if the manifest has no such entry, as in earlier versions */
    static SpectraView read(Manifest manifest, List<String> tested) {
        List<String> drawn = new ArrayList<>();
        for (JsonNode metric : manifest.json().path(DRAWN)) {
            drawn.add(metric.asText());
        }
        return new SpectraView(
                drawn.isEmpty() ? tested : drawn, shown(manifest), manifest.flag("/" + MARKED),
                manifest.json().path(THRESHOLD).asDouble(TestedHeads.LEVEL));
    }

    /** The quantity of the panels of a run. */
    public static Shown shown(Manifest manifest) {
        return manifest.json().has(SHOWN) ? manifest.constant("/" + SHOWN, Shown.class) : Shown.P;
    }
}
