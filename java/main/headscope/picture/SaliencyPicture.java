package headscope.picture;

import headscope.figure.Figure;
import headscope.figure.SaliencyFigure;
import headscope.figure.SaliencyFigure.Overview;
import headscope.result.HeadMap;
import headscope.result.SaliencyColumn;
import headscope.result.SaliencyResult;
import headscope.result.TokenMap;

/** The figure of a saliency run: an overview of all heads and the map of one. */
final class SaliencyPicture {
    private SaliencyPicture() {}

    static Figure of(SaliencyResult run) {
        int layer = run.enlargedLayer();
        int head = run.enlargedHead();
        TokenMap map = new TokenMap("layer %d, head %d".formatted(layer + 1, head + 1), run.unit(),
                run.tokens().tokens(), run.tokens().groups(), run.map());
        Overview overview = switch (run.cell()) {
            case MAX -> values(run, SaliencyColumn.MAXIMUM, run.overviewUnit());
            case MEAN -> values(run, SaliencyColumn.MEAN, "mean of the map");
            case SHARE -> values(run, SaliencyColumn.AGGREGATE_SHARE, "share of saliency");
            case THUMBNAIL -> {
                SaliencyResult.Thumbnails small = run.thumbnails().orElseThrow();
                yield new Overview.Thumbnails(run.layers(), run.heads(), small.side(), small.values());
            }
        };
        return SaliencyFigure.of(overview, layer, head, map, run.transpose(), run.manifest().caption());
    }

    private static Overview values(SaliencyResult run, SaliencyColumn column, String unit) {
        return new Overview.Values(HeadMap.of("", unit, run.layers(), run.heads(), run.means().get(column)));
    }
}
