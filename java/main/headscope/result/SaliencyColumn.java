package headscope.result;

/** A value that a saliency analysis stores for every head, computed from the map |a_ij dL/da_ij|. */
public enum SaliencyColumn {
    /** The largest element of the map. */
    MAXIMUM,
    /** The mean of the map's elements. */
    MEAN,
    /** The share of the map that goes from the target's earlier occurrence to the last token; NaN without one. */
    AGGREGATE_SHARE,
    /** The share of the map that goes from earlier tokens to the target's earlier occurrence; NaN without one. */
    GATHER_SHARE,
    /** The derivative of L with respect to a factor on the head's output; equals the sum of the signed map. */
    GATE_GRADIENT;

    /** In heads.csv and values.safetensors. */
    public String key() {
        return Manifest.keyword(this);
    }
}
