package headscope.render;

import java.nio.file.Path;
import java.util.Map;

/** Draws made-up figures of many sizes, to be looked at: {@code DrawSamples <folder> [<layers>x<heads>[m]]...}. */
final class DrawSamples {
    private DrawSamples() {}

    public static void main(String[] arguments) {
        for (int i = 1; i < arguments.length; i++) {
            boolean marked = arguments[i].endsWith("m");
            String[] size = arguments[i].replace("m", "").split("x");
            int layers = Integer.parseInt(size[0]);
            int heads = Integer.parseInt(size[1]);
            FigureFile.write(marked ? SampleMaps.marked(layers, heads) : SampleMaps.figure(layers, heads),
                    Path.of(arguments[0], arguments[i] + ".png"),
                    Integer.getInteger("dpi", FigureFile.DEFAULT_DPI),
                    Map.of("Software", "Headscope"));
        }
    }
}
