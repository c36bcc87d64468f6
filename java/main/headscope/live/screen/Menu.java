package headscope.live.screen;

import java.util.List;

/** A list of actions that opens below its title. */
public record Menu(String title, List<Item> items) {
    /**
     * One line.
     *
     * @param key     that does the same; may be empty
     * @param checked whether it is in force
     */
    public record Item(String label, String key, boolean checked) {}

    public Menu {
        items = List.copyOf(items);
    }
}
