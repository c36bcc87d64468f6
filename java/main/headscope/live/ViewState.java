package headscope.live;

import headscope.figure.Colormap;
import java.util.OptionalInt;

/**
 * How a viewer looks at a text.
 *
 * @param mode       what a cell of the grid of layers x heads shows
 * @param metric     key of the metric that is drawn over tokens, and in {@link Mode#METRIC} as the colour of a cell
 * @param log        whether colours are on a logarithmic scale
 * @param firstToken whether the column of the first token is shown, which attracts most of the attention
 * @param layer      of the head that is shown closely
 * @param head       of the head that is shown closely
 * @param token      position of the token that is picked in the text
 * @param column     whether a cell shows the attention that the picked token gets, instead of that which it pays
 * @param dark       colours of the screen
 * @param help       whether the list of keys is shown
 */
public record ViewState(
        Mode mode, String metric, Colormap colormap, boolean log, boolean firstToken, int layer, int head,
        OptionalInt token, boolean column, Camera grid, Camera map, boolean dark, boolean help) {
    /** What a cell of the grid shows. */
    public enum Mode {
        /** The head's pooled map. */
        MAPS,
        /** The head's value of the metric. */
        METRIC
    }

    public static ViewState of(String metric) {
        return new ViewState(Mode.MAPS, metric, Colormap.magma(), false, true, 0, 0, OptionalInt.empty(), false,
                Camera.WHOLE, Camera.WHOLE, true, false);
    }
}
