package headscope.analysis.saliency;

import headscope.analysis.saliency.SaliencyRequest.Cell;
import headscope.result.HeadTable;
import headscope.result.RunFolder;
import headscope.tensor.DType;
import headscope.tensor.SafetensorsWriter;
import headscope.tensor.SafetensorsWriter.Layout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A saliency run's tables and values. */
final class SaliencyFiles {
    private SaliencyFiles() {}

    static void write(RunFolder folder, SaliencyFindings found) {
        new HeadTable(found.config().layers(), found.config().heads(), found.means().columns())
                .write(folder.file("heads.csv"));
        found.enlarged().side().write(folder.file("tokens.csv"));
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(folder.file("values.safetensors"), Map.of(), layouts(found))) {
            for (SaliencyObservation seen : found.observations()) {
                SaliencyObservation.COLUMNS.forEach(name -> writer.append(name, seen.heads().of(name)));
                writer.append("surprisal", new float[] {seen.surprisal()});
                writer.append("target", (long) seen.target());
                if (groups(found) > 0) {
                    writer.append("blocks", seen.blocks());
                }
            }
            writer.append("map", found.enlarged().values());
            if (found.request().view().cell() == Cell.THUMBNAIL) {
                writer.append("thumbnails", SaliencyMeans.rounded(
                        found.observations().stream().map(SaliencyObservation::small).toList()));
            }
            if (!found.request().average()) {
                SaliencyObservation only = found.observations().getFirst();
                writer.append("rows", only.rows());
                writer.append("columns", only.columns());
                writer.append("signed", only.signed());
            }
            found.surprisals().forEach(values -> writer.append("silenced_surprisal", values));
            writer.commit();
        }
    }

    private static List<Layout> layouts(SaliencyFindings found) {
        int texts = found.texts().size();
        int layers = found.config().layers();
        int heads = found.config().heads();
        int groups = groups(found);
        int side = found.enlarged().side().tokens().size();
        List<Layout> layouts = new ArrayList<>();
        SaliencyObservation.COLUMNS.forEach(name -> layouts.add(new Layout(name, DType.F32, texts, layers, heads)));
        layouts.add(new Layout("surprisal", DType.F32, texts));
        layouts.add(new Layout("target", DType.I64, texts));
        if (groups > 0) {
            layouts.add(new Layout("blocks", DType.F32, texts, layers, heads, groups, groups));
        }
        layouts.add(new Layout("map", DType.F32, side, side));
        if (found.request().view().cell() == Cell.THUMBNAIL) {
            int small = Math.min(SaliencyFold.SIDE, side);
            layouts.add(new Layout("thumbnails", DType.F32, layers, heads, small, small));
        }
        if (!found.request().average()) {
            for (String name : List.of("rows", "columns", "signed")) {
                layouts.add(new Layout(name, DType.F32, layers, heads, side));
            }
        }
        if (!found.surprisals().isEmpty()) {
            layouts.add(new Layout(
                    "silenced_surprisal", DType.F32, found.surprisals().size(), found.surprisals().getFirst().length));
        }
        return layouts;
    }

    /** In every text the same, or none are written. */
    private static int groups(SaliencyFindings found) {
        List<List<String>> labels = found.texts().stream().map(SaliencyText::labels).distinct().toList();
        return labels.size() == 1 ? labels.getFirst().size() : 0;
    }
}
