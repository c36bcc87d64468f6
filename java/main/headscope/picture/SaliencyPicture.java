package headscope.picture;

import headscope.figure.Figure;
import headscope.figure.SaliencyFigure;
import headscope.figure.SaliencyFigure.Overview;
import headscope.result.HeadTable;
import headscope.result.Manifest;
import headscope.result.TokenMap;
import headscope.result.TokenTable;
import headscope.tensor.Safetensors;
import headscope.tensor.StoredTensor;
import java.nio.file.Path;

/** The picture of a saliency run, from its folder alone. */
final class SaliencyPicture {
    private SaliencyPicture() {}

    static Figure of(Path folder, Manifest manifest) {
        HeadTable heads = HeadTable.read(folder.resolve("heads.csv"));
        TokenTable tokens = TokenTable.read(folder.resolve("tokens.csv"));
        int layer = manifest.json().at("/head/layer").asInt();
        int head = manifest.json().at("/head/head").asInt();
        String unit = manifest.text("/unit");
        try (Safetensors values = Safetensors.open(folder.resolve("values.safetensors"))) {
            TokenMap map = new TokenMap("layer %d, head %d".formatted(layer + 1, head + 1), unit, tokens.tokens(),
                    tokens.groups(), values.get("map").floats());
            Overview overview = switch (manifest.text("/settings/cell")) {
                case "thumbnail" -> thumbnails(values.get("thumbnails"));
                case "mean" -> new Overview.Values(heads.map("mean", "", "mean of the map"));
                case "share" -> new Overview.Values(heads.map("aggregate_share", "", "share of saliency"));
                default -> new Overview.Values(heads.map("maximum", "", unit));
            };
            return SaliencyFigure.of(
                    overview, layer, head, map, manifest.flag("/transpose"), manifest.text("/caption"));
        }
    }

    private static Overview thumbnails(StoredTensor small) {
        long[] shape = small.shape();
        return new Overview.Thumbnails((int) shape[0], (int) shape[1], (int) shape[2], small.floats());
    }
}
