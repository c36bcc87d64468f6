package headscope.result;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How well the heads of each layer alone separate the classes, {@code layers.csv}: a row per layer, and for each feature
 * of the probes a column with the mean AUROC over the folds and one with the standard deviation.
 */
public record LayerAuroc(CurveTable table) {
    /** The name of the first column. */
    public static final String LAYER = "layer";

    /** What follows the name of a feature in that of its second column. */
    public static final String DEVIATION = "_std";

    /** The name of the file. */
    public static final String FILE = "layers.csv";

    /** The features, in the order of the file. */
    public List<String> features() {
        return table.curves().keySet().stream().filter(name -> !name.endsWith(DEVIATION)).toList();
    }

    /** Mean AUROC over the folds, one value per layer. */
    public double[] mean(String feature) {
        return table.curves().get(feature).clone();
    }

    public int layers() {
        return table.at().length;
    }

    void write(RunFolder folder) {
        table.write(folder.file(FILE));
    }

    /** Empty if the run has none. */
    static Optional<LayerAuroc> read(Path folder) {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        CurveTable table = CurveTable.read(file);
        if (!table.x().equals(LAYER) || table.curves().isEmpty()) {
            throw new ResultFormatException(file, 1, "the columns must be layer and the features of the probes");
        }
        return Optional.of(new LayerAuroc(table));
    }
}
