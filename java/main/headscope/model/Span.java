package headscope.model;

/**
 * Consecutive rows of a pass that belong to one text.
 *
 * @param first    first row
 * @param position position of that row's token in the text
 * @param count    number of rows
 */
record Span(int first, int position, int count) {}
