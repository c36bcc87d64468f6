package headscope.live.control;

import headscope.figure.ColorBar;
import headscope.figure.Figure;
import headscope.figure.LiveFigure;
import headscope.figure.Range;
import headscope.figure.SaliencyFigure.Overview;
import headscope.live.Camera;
import headscope.live.LiveText;
import headscope.live.ViewState;
import headscope.live.ViewState.Mode;
import headscope.result.HeadMap;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** What a view shows of a text at this moment, as a figure for print. */
public final class LivePicture {
    /** Lower end of the logarithmic scale of probabilities. */
    private static final int DECADES = 4;

    private final LiveText text;
    private final ViewState view;
    private final Frame frame;
    private final ColorBar probabilities;

    private LivePicture(LiveText text, ViewState view) {
        this.text = text;
        this.view = view;
        this.frame = text.frame().orElseThrow();
        this.probabilities = view.log()
                ? new ColorBar("log10 of the attention probability", new Range(-DECADES, 0), view.colormap())
                : new ColorBar("attention probability", new Range(0, 1), view.colormap());
    }

    /** @param text of at least one frame */
    public static Figure of(LiveText text, ViewState view) {
        LivePicture picture = new LivePicture(text, view);
        Optional<LiveFigure.Map> map = text.chosen().map(picture::map);
        int layer = text.chosen().map(ChosenHead::layer).orElse(0);
        int head = text.chosen().map(ChosenHead::head).orElse(0);
        return LiveFigure.of(view.mode() == Mode.MAPS ? picture.maps() : picture.metric(), map, layer, head,
                picture.caption());
    }

    private String caption() {
        FrameSource source = text.source();
        String cells = frame.bin() == 1 || view.mode() == Mode.METRIC ? "" : " A cell of a small map is the %s of %d x %d tokens."
                .formatted(source.pooling(), frame.bin(), frame.bin());
        String first = view.firstToken() ? "" : " Without the column of the first token.";
        return "%s, %d layers x %d heads, after %d tokens.%s%s"
                .formatted(source.model(), source.layers(), source.heads(), frame.end(), cells, first);
    }

    private LiveFigure.Grid metric() {
        FrameSource source = text.source();
        float[] values = text.metric(view.metric()).orElseGet(() -> {
            float[] none = new float[source.layers() * source.heads()];
            Arrays.fill(none, Float.NaN);
            return none;
        });
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        for (float value : values) {
            low = Float.isFinite(value) ? Math.min(low, value) : low;
            high = Float.isFinite(value) ? Math.max(high, value) : high;
        }
        Range range = low < high ? new Range(low, high) : new Range(low <= high ? low - 0.5 : 0, low <= high ? low + 0.5 : 1);
        String unit = source.metrics().stream()
                .filter(metric -> metric.key().equals(view.metric()))
                .map(FrameSource.MeasuredMetric::unit).findFirst().orElse("");
        String name = view.metric().replace('_', ' ');
        HeadMap map = new HeadMap(name, unit, source.layers(), source.heads(), values.clone());
        return new LiveFigure.Grid(name, new Overview.Values(map), new ColorBar(unit, range, view.colormap()));
    }

    /** Each head's map, or everywhere in it the row or the column of the picked token. */
    private LiveFigure.Grid maps() {
        FrameSource source = text.source();
        int side = source.side();
        int cells = frame.cells();
        int picked = view.token().isPresent() && view.token().getAsInt() < text.tokens().size()
                ? view.token().getAsInt() / frame.bin() : -1;
        float[] values = new float[source.layers() * source.heads() * cells * cells];
        for (int head = 0; head < source.layers() * source.heads(); head++) {
            for (int row = 0; row < cells; row++) {
                for (int column = 0; column < cells; column++) {
                    int from = picked >= 0 && !view.column() ? picked : row;
                    int to = picked >= 0 && view.column() ? picked : column;
                    values[(head * cells + row) * cells + column] =
                            shown(text.atlas()[(head * side + from) * side + to], to, cells);
                }
            }
        }
        String title = picked < 0 ? "attention of every head" : "attention that %s %s"
                .formatted(text.tokens().get(view.token().getAsInt()).name(), view.column() ? "gets" : "pays");
        return new LiveFigure.Grid(title, new Overview.Thumbnails(source.layers(), source.heads(), cells, values), probabilities);
    }

    /** The visible part of the chosen head's map. */
    private LiveFigure.Map map(ChosenHead head) {
        int cells = head.columns();
        Camera camera = view.map();
        int left = (int) Math.floor(camera.x() * cells);
        int top = (int) Math.floor(camera.y() * cells);
        int right = Math.min(cells, (int) Math.ceil((camera.x() + 1 / camera.zoom()) * cells - 1e-9));
        int bottom = Math.min(cells, (int) Math.ceil((camera.y() + 1 / camera.zoom()) * cells - 1e-9));
        float[] values = new float[(bottom - top) * (right - left)];
        for (int row = top; row < bottom; row++) {
            for (int column = left; column < right; column++) {
                values[(row - top) * (right - left) + column - left] =
                        shown(text.mapValue(row, column), column, cells);
            }
        }
        return new LiveFigure.Map("layer %d, head %d".formatted(head.layer(), head.head()), names(top, bottom, head.bin()),
                names(left, right, head.bin()), values, probabilities);
    }

    /** As the colour bar counts it; NaN in the first token's column if that is left out. */
    private float shown(float probability, int column, int cells) {
        if (column == 0 && cells > 1 && !view.firstToken()) {
            return Float.NaN;
        }
        double within = Math.clamp(probability, 0, 1);
        return (float) (view.log() ? Math.max(-DECADES, Math.log10(within)) : within);
    }

    private List<String> names(int from, int to, int bin) {
        List<String> names = new ArrayList<>();
        for (int cell = from; cell < to; cell++) {
            names.add(bin == 1 && cell < text.tokens().size()
                    ? text.tokens().get(cell).name() : Integer.toString(cell * bin));
        }
        return names;
    }
}
