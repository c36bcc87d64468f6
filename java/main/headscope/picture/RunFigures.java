package headscope.picture;

import headscope.figure.Figure;
import headscope.result.Manifest;
import headscope.result.ResultFormatException;
import headscope.result.RunFolder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/** The figures of a finished run, built from its folder alone: neither model nor GPU is needed. */
public final class RunFigures {
    private RunFigures() {}

    /**
     * All figures of a run by file name; the first is the analysis's own, such as {@code spectra.png}.
     *
     * @param folder of a finished run
     * @throws ResultFormatException if a file of the run is missing or malformed
     */
    public static SequencedMap<String, Figure> of(Path folder) {
        Manifest manifest = Manifest.read(folder);
        String analysis = manifest.text("/analysis");
        SequencedMap<String, Figure> figures = new LinkedHashMap<>();
        figures.put(analysis + ".png", switch (analysis) {
            case "spectra" -> SpectraPicture.of(folder, manifest);
            case "saliency" -> SaliencyPicture.of(folder, manifest);
            case "functions" -> FunctionsPicture.of(folder, manifest);
            case "gates" -> GatesPicture.of(folder, manifest);
            default -> throw new ResultFormatException(folder.resolve(RunFolder.MANIFEST),
                    "\"analysis\" is \"%s\"; there are pictures of spectra, saliency, functions and gates"
                            .formatted(analysis));
        });
        if (analysis.equals("gates")) {
            figures.putAll(GatesPicture.checks(folder, manifest));
        }
        return figures;
    }
}
