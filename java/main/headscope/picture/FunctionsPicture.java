package headscope.picture;

import headscope.figure.Figure;
import headscope.figure.FunctionsFigure;
import headscope.figure.RoundTop;
import headscope.result.HeadMap;
import headscope.result.HeadTable;
import headscope.result.Manifest;
import java.nio.file.Path;
import java.util.List;

/** The picture of a functions run, from its folder alone. */
final class FunctionsPicture {
    private FunctionsPicture() {}

    static Figure of(Path folder, Manifest manifest) {
        HeadTable heads = HeadTable.read(folder.resolve("heads.csv"));
        boolean absolute = manifest.text("/shown").equals("absolute");
        List<HeadMap> maps = heads.names().stream()
                .map(function -> shown(heads.map(function, function, "importance"), absolute))
                .toList();
        double top = manifest.json().has("top") ? manifest.json().get("top").doubleValue() : RoundTop.of(maps);
        return FunctionsFigure.of(maps, top, manifest.text("/caption"));
    }

    /** Of signed values, their absolute ones, or those above 0. */
    private static HeadMap shown(HeadMap signed, boolean absolute) {
        float[] values = signed.values();
        for (int i = 0; i < values.length; i++) {
            values[i] = absolute ? Math.abs(values[i]) : Math.max(0, values[i]);
        }
        return new HeadMap(signed.title(), signed.unit(), signed.layers(), signed.heads(), values);
    }
}
