package headscope.render;

/** How much room text takes; sizes are pixels per em, lengths are pixels. */
interface TextMeasure {
    double width(String text, float size);

    /** How far the tallest lower-case letters reach above the baseline. */
    double ascent(float size);

    /** How far letters reach below the baseline, positive. */
    double descent(float size);

    /** The height of figures and capitals. */
    double capHeight(float size);
}
