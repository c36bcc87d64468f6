package headscope.live.screen;

import java.util.List;

/** A key or a movement of the mouse, and what it does. */
record KeyHelp(String key, String action) {
    /** All of them, in the order in which they are listed. */
    static final List<KeyHelp> ALL = List.of(
            new KeyHelp("space", "pause, go on"),
            new KeyHelp(".", "compute one token"),
            new KeyHelp("E", "write another prompt"),
            new KeyHelp("M", "maps, then each metric"),
            new KeyHelp("C", "next colour map"),
            new KeyHelp("L", "logarithmic colours"),
            new KeyHelp("S", "leave out the first token's column"),
            new KeyHelp("P", "write a picture for print"),
            new KeyHelp("R", "record to a file"),
            new KeyHelp("E", "edit the prompt"),
            new KeyHelp("arrows", "choose a neighbouring head"),
            new KeyHelp("T", "attention that the picked token pays or gets"),
            new KeyHelp("D", "dark or light"),
            new KeyHelp("[ ]", "recording: 10 tokens back, ahead"),
            new KeyHelp("- +", "recording: slower, faster"),
            new KeyHelp("click", "choose a head, pick a token"),
            new KeyHelp("wheel", "zoom about the mouse"),
            new KeyHelp("drag", "move"),
            new KeyHelp("double click", "show everything again"),
            new KeyHelp("Q", "quit"),
            new KeyHelp("H", "this list"));
}
