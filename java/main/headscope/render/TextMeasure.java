package headscope.render;

/** Text metrics. Sizes are in pixels per em, lengths in pixels. */
public interface TextMeasure {
    double width(String text, float size);

    /** Height of the tallest lower-case letters above the baseline. */
    double ascent(float size);

    /** Depth of letters below the baseline, positive. */
    double descent(float size);

    /** Height of digits and capitals. */
    double capHeight(float size);
}
