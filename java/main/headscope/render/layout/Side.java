package headscope.render.layout;

/** A side of a panel that can have labels. */
enum Side {
    LEFT,
    ABOVE,
    BELOW
}
