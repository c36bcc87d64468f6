package headscope.live.screen;

/**
 * Colours of the screen, 0xRRGGBB, sRGB.
 *
 * @param ink    of text
 * @param pale   of text of less weight
 * @param rule   of frames and ticks
 * @param accent marks what is chosen or newest
 * @param picked marks the picked token
 * @param onMark of text on {@code accent} and {@code picked}
 */
record Theme(
        int background, int panel, int bar, int ink, int pale, int rule, int accent, int picked, int onMark, int good,
        int bad, int curve, int bars) {
    static final Theme DARK = new Theme(
            0x0F0F13, 0x1B1B20, 0x09090C, 0xE8E8EA, 0x9C9CA4, 0x55555E, 0xFFC400, 0x64B5F6, 0x101014, 0x7BE08A,
            0xFF7B72, 0x64B5F6, 0xEC7A55);
    static final Theme LIGHT = new Theme(
            0xE4E6EA, 0xFFFFFF, 0xD4D7DD, 0x16181D, 0x5A6069, 0xA9AEB8, 0xF08C00, 0x1971C2, 0xFFFFFF, 0x1E7B34,
            0xC62828, 0x1971C2, 0xD9480F);

    static Theme of(boolean dark) {
        return dark ? DARK : LIGHT;
    }
}
