package headscope.render.screen;

import static org.lwjgl.opengl.GL33C.*;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The values of a grid of maps on the GPU, R32F: a slice of a texture array per layer, a slot per head. Slots are powers of
 * two, so that levels of {@link MaxPyramid} stay inside them. Uploads the rows that have changed.
 */
final class CellTexture implements AutoCloseable {
    private final int layers;
    private final int heads;
    private final int slot;
    private final int slotsPerRow;
    private final MaxPyramid pyramid;
    private final int texture = glGenTextures();
    private long uploaded;

    /**
     * @param side    cells on each side of a map
     * @param maxSide largest side of a texture, in texels
     */
    CellTexture(int layers, int heads, int side, int maxSide) {
        this.layers = layers;
        this.heads = heads;
        slot = Math.max(1, Integer.highestOneBit(2 * side - 1));
        slotsPerRow = Math.clamp(maxSide / slot, 1, heads);
        int slotRows = Math.ceilDiv(heads, slotsPerRow);
        if (slot > maxSide || slotRows * slot > maxSide) {
            throw new IllegalArgumentException("%d heads of %d x %d cells do not fit into a texture of %d x %d"
                    .formatted(heads, side, side, maxSide, maxSide));
        }
        pyramid = new MaxPyramid(layers * heads, slot);
        glBindTexture(GL_TEXTURE_2D_ARRAY, texture);
        glTexParameteri(GL_TEXTURE_2D_ARRAY, GL_TEXTURE_MIN_FILTER, GL_NEAREST_MIPMAP_NEAREST);
        glTexParameteri(GL_TEXTURE_2D_ARRAY, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
        glTexParameteri(GL_TEXTURE_2D_ARRAY, GL_TEXTURE_MAX_LEVEL, pyramid.last());
        for (int level = 0; level <= pyramid.last(); level++) {
            glTexImage3D(GL_TEXTURE_2D_ARRAY, level, GL_R32F, slotsPerRow * pyramid.side(level),
                    slotRows * pyramid.side(level), layers, 0, GL_RED, GL_FLOAT, (FloatBuffer) null);
        }
    }

    boolean fits(CellValues values) {
        return values.layers() == layers && values.heads() == heads && values.side() <= slot;
    }

    int slot() {
        return slot;
    }

    int slotsPerRow() {
        return slotsPerRow;
    }

    int lastLevel() {
        return pyramid.last();
    }

    int id() {
        return texture;
    }

    long bytes() {
        return 4L * layers * heads * slot * slot * 4 / 3;
    }

    /** Rows of cells of neighbouring layers that have changed. */
    private record Change(int firstLayer, int endLayer, int firstRow, int endRow) {
        boolean continues(Change next) {
            return next.firstLayer == endLayer && next.firstRow == firstRow && next.endRow == endRow;
        }
    }

    /** Uploads what has changed since the last call. */
    void update(CellValues values, PixelStream pixels) {
        List<Change> changes = changes(values);
        for (Change change : changes) {
            for (int map = change.firstLayer * heads; map < change.endLayer * heads; map++) {
                pyramid.update(values.values(), map, values.side(), change.firstRow, change.endRow);
            }
            glBindTexture(GL_TEXTURE_2D_ARRAY, texture);
            for (int level = 0; level <= pyramid.last(); level++) {
                for (int band = 0; band * slotsPerRow < heads; band++) {
                    upload(values, change, level, band, pixels);
                }
            }
        }
    }

    private List<Change> changes(CellValues values) {
        List<Change> changes = new ArrayList<>();
        long newest = uploaded;
        for (int layer = 0; layer < layers; layer++) {
            int first = values.side();
            int end = 0;
            for (int row = 0; row < values.side(); row++) {
                long changed = values.changed()[layer * values.side() + row];
                if (changed > uploaded) {
                    first = Math.min(first, row);
                    end = row + 1;
                    newest = Math.max(newest, changed);
                }
            }
            Change change = new Change(layer, layer + 1, first, end);
            if (first < end && !changes.isEmpty() && changes.getLast().continues(change)) {
                changes.addLast(new Change(changes.removeLast().firstLayer, layer + 1, first, end));
            } else if (first < end) {
                changes.add(change);
            }
        }
        uploaded = newest;
        return changes;
    }

    /** One rectangle of the texture, through a pixel buffer: [layers, rows, heads of a row of slots, side of a slot]. */
    private void upload(CellValues values, Change change, int level, int band, PixelStream pixels) {
        int side = pyramid.side(level);
        int firstHead = band * slotsPerRow;
        int endHead = Math.min(heads, firstHead + slotsPerRow);
        int firstRow = change.firstRow >> level;
        int endRow = (change.endRow - 1 >> level) + 1;
        int depth = change.endLayer - change.firstLayer;
        FloatBuffer to = pixels.begin(depth * (endRow - firstRow) * (endHead - firstHead) * side);
        float[] zeros = new float[slot - values.side()];
        for (int layer = change.firstLayer; layer < change.endLayer; layer++) {
            for (int row = firstRow; row < endRow; row++) {
                for (int head = firstHead; head < endHead; head++) {
                    int map = layer * heads + head;
                    if (level == 0) {
                        to.put(values.values(), (map * values.side() + row) * values.side(), values.side()).put(zeros);
                    } else {
                        to.put(pyramid.level(level), pyramid.row(level, map, row), side);
                    }
                }
            }
        }
        long offset = pixels.end();
        glTexSubImage3D(GL_TEXTURE_2D_ARRAY, level, 0, band * side + firstRow, change.firstLayer,
                (endHead - firstHead) * side, endRow - firstRow, depth, GL_RED, GL_FLOAT, offset);
        pixels.sent();
    }

    @Override
    public void close() {
        glDeleteTextures(texture);
    }
}
