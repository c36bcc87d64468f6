package headscope.picture;

import headscope.figure.Figure;
import headscope.figure.FunctionsFigure;
import headscope.figure.RoundTop;
import headscope.result.FunctionsResult;
import headscope.result.HeadMap;
import java.util.Arrays;
import java.util.List;

/** The figure of a functions run: the importance of all heads, one map per function. */
final class FunctionsPicture {
    private FunctionsPicture() {}

    static Figure of(FunctionsResult run) {
        List<HeadMap> maps = run.importance().entrySet().stream()
                .map(function -> HeadMap.of(function.getKey(), "importance", run.layers(), run.heads(),
                        shown(function.getValue(), run.shown())))
                .toList();
        return FunctionsFigure.of(maps, run.top().orElseGet(() -> RoundTop.of(maps)), run.manifest().caption());
    }

    private static double[] shown(double[] signed, FunctionsResult.Shown shown) {
        return Arrays.stream(signed)
                .map(value -> switch (shown) {
                    case ABSOLUTE -> Math.abs(value);
                    case POSITIVE -> Math.max(0, value);
                })
                .toArray();
    }
}
