package headscope.picture;

import headscope.figure.Figure;
import headscope.figure.SaliencyFigure;
import headscope.figure.SaliencyFigure.Overview;
import headscope.result.HeadMap;
import headscope.result.SaliencyColumn;
import headscope.result.SaliencyResult;
import headscope.result.TokenMap;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/** The figures of a saliency run: an overview of all heads and the map of one. */
final class SaliencyPicture {
    private SaliencyPicture() {}

    static Figure of(SaliencyResult run) {
        return of(run, run.enlargedLayer(), run.enlargedHead(), run.map(), run.manifest().caption());
    }

    /** The further maps by file name. */
    static SequencedMap<String, Figure> maps(SaliencyResult run) {
        SequencedMap<String, Figure> figures = new LinkedHashMap<>();
        run.chosen().forEach(one -> figures.put("saliency-%d.%d.png".formatted(one.layer(), one.head()),
                of(run, one.layer(), one.head(), one.map(), one.caption())));
        return figures;
    }

    private static Figure of(SaliencyResult run, int layer, int head, float[] values, String caption) {
        TokenMap map = new TokenMap("layer %d, head %d".formatted(layer + 1, head + 1), run.unit(),
                run.tokens().tokens(), run.tokens().groups(), values);
        Overview overview = switch (run.cell()) {
            case MAX -> values(run, SaliencyColumn.MAXIMUM, run.overviewUnit());
            case MEAN -> values(run, SaliencyColumn.MEAN, "mean of the map");
            case SHARE -> values(run, SaliencyColumn.AGGREGATE_SHARE, "share of saliency");
            case THUMBNAIL -> {
                SaliencyResult.Thumbnails small = run.thumbnails().orElseThrow();
                yield new Overview.Thumbnails(run.layers(), run.heads(), small.side(), small.values());
            }
        };
        return SaliencyFigure.of(overview, layer, head, map, run.transpose(), caption);
    }

    private static Overview values(SaliencyResult run, SaliencyColumn column, String unit) {
        return new Overview.Values(HeadMap.of("", unit, run.layers(), run.heads(), run.means().get(column)));
    }
}
