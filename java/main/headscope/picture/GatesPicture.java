package headscope.picture;

import headscope.figure.CurvesFigure;
import headscope.figure.Figure;
import headscope.figure.GatesFigure;
import headscope.result.GateCurve;
import headscope.result.GateScore;
import headscope.result.GatesResult;
import headscope.result.HeadMap;
import headscope.result.Manifest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** The figures of a gates run: scores of all heads, and a check per task. */
final class GatesPicture {
    /** Curves of a check, in the order of the figure's key. */
    private static final List<GateCurve> CURVES =
            List.of(GateCurve.SHUT, GateCurve.SHUT_RANDOM, GateCurve.OPEN, GateCurve.OPEN_RANDOM);

    private GatesPicture() {}

    /** Two maps per task: the score over all seeds and in at least one. */
    static Figure of(GatesResult run) {
        List<HeadMap> maps = new ArrayList<>();
        for (GatesResult.Task task : run.tasks()) {
            GateScore score = run.shown(task);
            GatesResult.Scores values = task.scores().get(score);
            maps.add(map(run, task.name() + " (Always)", score, values.always()));
            maps.add(map(run, task.name() + " (Any)", score, values.any()));
        }
        return GatesFigure.of(maps, run.manifest().caption());
    }

    private static HeadMap map(GatesResult run, String title, GateScore score, double[] values) {
        return HeadMap.of(title, Manifest.keyword(score), run.layers(), run.heads(), values);
    }

    /** The checks by file name; a contrast has none. */
    static SequencedMap<String, Figure> checks(GatesResult run) {
        SequencedMap<String, Figure> figures = new LinkedHashMap<>();
        List<String> names = FileNames.unique(run.tasks().stream().map(GatesResult.Task::name).toList());
        for (int i = 0; i < names.size(); i++) {
            GatesResult.Task task = run.tasks().get(i);
            String file = "check-%s.png".formatted(names.get(i));
            task.check().ifPresent(check -> figures.put(file, figure(check, task.name() + ": " + run.checkCaption())));
        }
        return figures;
    }

    private static Figure figure(GatesResult.Check check, String caption) {
        double[] heads = Arrays.stream(check.heads()).asDoubleStream().toArray();
        List<CurvesFigure.Curve> curves = CURVES.stream()
                .map(curve -> new CurvesFigure.Curve(label(curve), heads, check.logProb().get(curve)))
                .toList();
        return CurvesFigure.of(curves, "Heads changed", "Log probability of the answer (nats)", caption);
    }

    private static String label(GateCurve curve) {
        return switch (curve) {
            case SHUT -> "shut, least facilitating first";
            case SHUT_RANDOM -> "shut, random order";
            case OPEN -> "opened, most interfering first";
            case OPEN_RANDOM -> "opened, random order";
        };
    }
}
