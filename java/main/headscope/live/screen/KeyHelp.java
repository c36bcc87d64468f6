package headscope.live.screen;

import java.util.List;

/**
 * A key or a movement of the mouse, and what it does.
 *
 * @param word   for the list in the header; empty if the key is not listed there
 * @param action for the list of all keys
 */
public record KeyHelp(String key, String word, String action) {
    /** All of them, in the order in which they are listed. */
    public static final List<KeyHelp> ALL = List.of(
            new KeyHelp("space", "pause", "pause, go on"),
            new KeyHelp(".", "step", "compute one token"),
            new KeyHelp("M", "metric", "maps, then each metric"),
            new KeyHelp("C", "colours", "next colour map"),
            new KeyHelp("L", "log", "logarithmic colours"),
            new KeyHelp("S", "sink", "leave out the first token's column"),
            new KeyHelp("P", "picture", "write a picture for print"),
            new KeyHelp("R", "record", "record to a file"),
            new KeyHelp("arrows", "", "choose a neighbouring head"),
            new KeyHelp("T", "", "attention that the picked token pays or gets"),
            new KeyHelp("D", "", "dark or light"),
            new KeyHelp("click", "", "choose a head, pick a token"),
            new KeyHelp("wheel", "", "zoom about the mouse"),
            new KeyHelp("drag", "", "move"),
            new KeyHelp("double click", "", "show everything again"),
            new KeyHelp("Q", "", "quit"),
            new KeyHelp("H", "help", "this list"));
}
