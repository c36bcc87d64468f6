package headscope.picture;

import headscope.figure.Figure;
import headscope.result.FunctionsResult;
import headscope.result.GatesResult;
import headscope.result.Manifest;
import headscope.result.ResultFormatException;
import headscope.result.RunFolder;
import headscope.result.SaliencyResult;
import headscope.result.SpectraResult;
import headscope.result.SpectraView;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;

/** The figures of a finished run, built from its folder alone: neither model nor GPU is needed. */
public final class RunFigures {
    private RunFigures() {}

    /**
     * All figures of a run by file name; the first is the main one, such as {@code spectra.png}.
     *
     * @param folder of a finished run
     * @throws ResultFormatException if a file of the run is missing or malformed
     */
    public static SequencedMap<String, Figure> of(Path folder) {
        return of(folder, UnaryOperator.identity());
    }

    /**
     * The figures, those of a spectra run with another view.
     *
     * @param view from the view of the run to the one that is drawn
     */
    public static SequencedMap<String, Figure> of(Path folder, UnaryOperator<SpectraView> view) {
        try {
            return read(folder, view);
        } catch (IllegalArgumentException impossible) {
            throw new ResultFormatException(folder, "contains values that no run writes: " + impossible.getMessage());
        }
    }

    private static SequencedMap<String, Figure> read(Path folder, UnaryOperator<SpectraView> view) {
        String analysis = Manifest.read(folder).analysis();
        SequencedMap<String, Figure> figures = new LinkedHashMap<>();
        String name = analysis + ".png";
        switch (analysis) {
            case SpectraResult.ANALYSIS -> {
                SpectraResult run = tested(folder);
                figures.put(name, SpectraPicture.of(run, drawable(folder, run, view.apply(run.view()))));
                run.probes().ifPresent(probes -> figures.put("spectra-layers.png", SpectraPicture.layers(
                        probes, run.manifest().text("/" + SpectraResult.LAYERS_CAPTION))));
            }
            case SaliencyResult.ANALYSIS -> {
                SaliencyResult run = SaliencyResult.read(folder);
                figures.put(name, SaliencyPicture.of(run));
                figures.putAll(SaliencyPicture.maps(run));
            }
            case FunctionsResult.ANALYSIS -> figures.put(name, FunctionsPicture.of(FunctionsResult.read(folder)));
            case GatesResult.ANALYSIS -> {
                GatesResult run = GatesResult.read(folder);
                figures.put(name, GatesPicture.of(run));
                figures.putAll(GatesPicture.checks(run));
            }
            default -> throw new ResultFormatException(folder.resolve(RunFolder.MANIFEST),
                    "\"analysis\" is \"%s\", not spectra, saliency, functions or gates"
                            .formatted(analysis));
        }
        return figures;
    }

    private static SpectraResult tested(Path folder) {
        SpectraResult run = SpectraResult.read(folder);
        if (run.tested().isEmpty()) {
            throw new ResultFormatException(folder, "has no tests to draw: %s; spectra --from tests it with other labels"
                    .formatted(run.untested()));
        }
        return run;
    }

    private static SpectraView drawable(Path folder, SpectraResult run, SpectraView view) {
        view.drawn().stream().filter(metric -> !run.tested().containsKey(metric)).findFirst().ifPresent(metric -> {
            throw new ResultFormatException(folder, "tests only %s; to draw %s, test it first: spectra --from %s --test %s"
                    .formatted(String.join(", ", run.tested().keySet()), metric, folder, metric));
        });
        return view;
    }
}
