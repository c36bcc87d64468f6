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
 * @param textTop    position of the first token of the uppermost visible line of the text; empty while the end is shown
 * @param dark       colours of the screen
 * @param help       whether the list of keys is shown
 */
public record ViewState(
        Mode mode, String metric, Colormap colormap, boolean log, boolean firstToken, int layer, int head,
        OptionalInt token, boolean column, OptionalInt textTop, Camera grid, Camera map, boolean dark, boolean help) {
    /** What a cell of the grid shows. */
    public enum Mode {
        /** The head's pooled map. */
        MAPS,
        /** The head's value of the metric. */
        METRIC
    }

    public static ViewState of(String metric) {
        return new ViewState(Mode.MAPS, metric, Colormap.magma(), false, true, 0, 0, OptionalInt.empty(), false,
                OptionalInt.empty(), Camera.WHOLE, Camera.WHOLE, true, false);
    }

    public ViewState withGridOf(Mode next, String of) {
        return new ViewState(
                next, of, colormap, log, firstToken, layer, head, token, column, textTop, grid, map, dark, help);
    }

    public ViewState withColormap(Colormap next) {
        return new ViewState(
                mode, metric, next, log, firstToken, layer, head, token, column, textTop, grid, map, dark, help);
    }

    public ViewState withLog(boolean next) {
        return new ViewState(
                mode, metric, colormap, next, firstToken, layer, head, token, column, textTop, grid, map, dark, help);
    }

    public ViewState withFirstToken(boolean next) {
        return new ViewState(
                mode, metric, colormap, log, next, layer, head, token, column, textTop, grid, map, dark, help);
    }

    public ViewState withHead(int nextLayer, int nextHead) {
        return new ViewState(
                mode, metric, colormap, log, firstToken, nextLayer, nextHead, token, column, textTop, grid, map, dark, help);
    }

    public ViewState withToken(OptionalInt next, boolean gets) {
        return new ViewState(
                mode, metric, colormap, log, firstToken, layer, head, next, gets, textTop, grid, map, dark, help);
    }

    public ViewState withTextTop(OptionalInt next) {
        return new ViewState(
                mode, metric, colormap, log, firstToken, layer, head, token, column, next, grid, map, dark, help);
    }

    public ViewState withGrid(Camera next) {
        return new ViewState(
                mode, metric, colormap, log, firstToken, layer, head, token, column, textTop, next, map, dark, help);
    }

    public ViewState withMap(Camera next) {
        return new ViewState(
                mode, metric, colormap, log, firstToken, layer, head, token, column, textTop, grid, next, dark, help);
    }

    public ViewState withDark(boolean next) {
        return new ViewState(
                mode, metric, colormap, log, firstToken, layer, head, token, column, textTop, grid, map, next, help);
    }

    public ViewState withHelp(boolean next) {
        return new ViewState(
                mode, metric, colormap, log, firstToken, layer, head, token, column, textTop, grid, map, dark, next);
    }
}
