package headscope.figure;

import headscope.result.HeadMap;
import java.util.List;
import java.util.Optional;

/** Panels of head maps on one scale, with layers as rows and heads as columns, both counted from 0. */
public final class HeadPanels {
    private HeadPanels() {}

    public static List<Panel> of(List<HeadMap> maps, ColorBar bar) {
        return maps.stream()
                .map(map -> new Panel(map.title(), new Axis.Numbered("Head", map.heads(), 0),
                        new Axis.Numbered("Layer", map.layers(), 0), Optional.of(bar),
                        List.of(Mark.Heatmap.of(map))))
                .toList();
    }
}
