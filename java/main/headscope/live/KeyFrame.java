package headscope.live;

import headscope.result.frame.AtlasBlock;
import headscope.result.frame.ChosenHead;
import headscope.result.frame.Frame;
import headscope.result.frame.FrameSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** All of a text so far as one frame, for a viewer or a recording that begins in the middle of a text. */
public final class KeyFrame {
    private KeyFrame() {}

    /**
     * A frame that adds up to the same text for whoever has seen none before.
     *
     * @param text of at least one frame
     */
    public static Frame of(LiveText text) {
        Frame newest = text.frame().orElseThrow();
        Map<String, float[]> metrics = new HashMap<>();
        text.source().metrics().forEach(measured ->
                text.metric(measured.key()).ifPresent(values -> metrics.put(measured.key(), values.clone())));
        return new Frame(
                newest.text(), newest.state(), newest.message(), newest.step(), 0, text.tokens(), newest.layersRead(),
                metrics, newest.bin(), atlas(text, newest.cells()), text.chosen().map(chosen -> whole(chosen, text.map())),
                newest.tokensPerSecond(), newest.memoryBytes(), newest.dropped(), text.history().points());
    }

    private static List<AtlasBlock> atlas(LiveText text, int cells) {
        FrameSource source = text.source();
        int side = source.side();
        int rows = Math.min(cells, side);
        List<AtlasBlock> blocks = new ArrayList<>();
        for (int layer = 0; layer < source.layers() && rows > 0; layer++) {
            float[] values = new float[source.heads() * rows * side];
            for (int head = 0; head < source.heads(); head++) {
                System.arraycopy(text.atlas(), (layer * source.heads() + head) * side * side, values,
                        head * rows * side, rows * side);
            }
            blocks.add(new AtlasBlock(layer, 0, rows, values));
        }
        return blocks;
    }

    private static ChosenHead whole(ChosenHead newest, float[] map) {
        return new ChosenHead(newest.layer(), newest.head(), newest.bin(), 0, newest.columns(), map,
                newest.eigenvalues(), newest.tokens());
    }
}
