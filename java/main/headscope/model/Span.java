package headscope.model;

/**
 * Rows of a pass that are one text's tokens in order.
 *
 * @param first    the first row
 * @param position the position of that row's token in its text
 * @param count    how many
 */
record Span(int first, int position, int count) {}
