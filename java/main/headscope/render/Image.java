package headscope.render;

/**
 * An image in memory.
 *
 * @param argb [height, width], row-major from the top left, 0xAARRGGBB, sRGB
 */
public record Image(int width, int height, int[] argb) {
    public Image {
        if (width < 1 || height < 1 || argb.length != Math.multiplyExact(width, height)) {
            throw new IllegalArgumentException("%d pixels for %d x %d".formatted(argb.length, width, height));
        }
    }

    int at(int x, int y) {
        return argb[y * width + x];
    }
}
