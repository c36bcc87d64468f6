package headscope.live.screen;

import java.util.List;

/**
 * Keys or movements of the mouse, and what they do.
 *
 * @param keys as menus name them; empty for the mouse
 * @param hands what the user does, in words
 */
public record KeyHelp(List<String> keys, String hands, String action) {
    /** All of them, in the order in which they are listed. */
    public static final List<KeyHelp> ALL = List.of(
            key("space", "pause or resume"),
            key(".", "compute one token"),
            key("E", "write another prompt"),
            key("P", "save a picture for print"),
            key("R", "record to a file"),
            key("M", "maps, then each metric"),
            key("C", "next colour map"),
            key("L", "logarithmic colours"),
            key("S", "leave out the first token's column"),
            key("T", "attention from or to the picked token"),
            key("D", "dark or light"),
            new KeyHelp(List.of("left", "right", "up", "down"), "arrows", "choose a neighbouring head"),
            new KeyHelp(List.of("PageUp", "PageDown"), "PageUp, PageDown", "scroll the text"),
            new KeyHelp(List.of("Home", "End"), "Home, End", "beginning of the text, newest token"),
            new KeyHelp(List.of("[", "]"), "[ ]", "recording: 10 tokens back, forward"),
            new KeyHelp(List.of("-", "+"), "- +", "recording: slower, faster"),
            mouse("click", "choose a head, pick a token"),
            mouse("wheel", "zoom at the pointer; scroll the text"),
            mouse("drag", "move the zoomed view"),
            new KeyHelp(List.of("0"), "double click, 0", "show everything again"),
            key("Esc", "unpick the token; close this list"),
            key("H", "this list"),
            key("Q", "quit"));

    private static KeyHelp key(String key, String action) {
        return new KeyHelp(List.of(key), key, action);
    }

    private static KeyHelp mouse(String hands, String action) {
        return new KeyHelp(List.of(), hands, action);
    }
}
