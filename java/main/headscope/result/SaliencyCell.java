package headscope.result;

/** What the overview of a saliency figure shows of each head. */
public enum SaliencyCell {
    /** The largest element of its map. */
    MAX,
    /** The mean of the elements of its map. */
    MEAN,
    /** The whole map, reduced to a thumbnail. */
    THUMBNAIL,
    /** The share of its map that goes from the target's earlier occurrence to the last token. */
    SHARE
}
