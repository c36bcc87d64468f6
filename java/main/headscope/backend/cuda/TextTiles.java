package headscope.backend.cuda;

import headscope.backend.PageTable;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * Tables on the device by which the blocks of a launch find their texts (cuda/text_tile.cuh). The tables that were used
 * last are kept: the layers of a pass share them.
 */
final class TextTiles {
    /** Tables of one pass, forward and backward, in all tile sizes, with room for the pass before. */
    private static final int KEPT = 16;

    /** Size of an entry. */
    static final int BYTES = 40;

    private final Device device;
    private final SequencedMap<Key, Table> tables = new LinkedHashMap<>(KEPT, 0.75f, true);

    /** What an entry of a table describes. */
    enum Part {
        QUERY_TILE,
        KEY_TILE,
        TEXT
    }

    /** The pages of the packing that was used last. */
    private Optional<PageTable> pages = Optional.empty();
    private MemorySegment pagesOnDevice = MemorySegment.NULL;

    private record Key(PackedTexts texts, Part part, int rows) {}

    /** Entries on the device. */
    record Table(MemorySegment memory, int count) {}

    private record Tile(PackedTexts.Entry text, int index) {}

    TextTiles(Device device) {
        this.device = device;
    }

    /** @param rows per tile */
    Table of(PackedTexts texts, Part part, int rows) {
        Key key = new Key(texts, part, rows);
        Table known = tables.get(key);
        if (known != null) {
            return known;
        }
        if (tables.size() == KEPT) {
            device.free(tables.pollFirstEntry().getValue().memory());
        }
        List<Tile> tiles = tiles(texts, part, rows);
        byte[] bytes = bytes(tiles);
        // Not counted as memory of the backend's user, who does not know of it.
        Table table = new Table(device.allocate(bytes.length), tiles.size());
        device.upload(table.memory(), MemorySegment.ofArray(bytes));
        tables.put(key, table);
        return table;
    }

    /** The tiles with the most keys, or of keys those with the most queries, come first. */
    private static List<Tile> tiles(PackedTexts texts, Part part, int rows) {
        List<Tile> tiles = new ArrayList<>();
        for (PackedTexts.Entry text : texts.entries()) {
            int count = switch (part) {
                case QUERY_TILE -> (text.queries() + rows - 1) / rows;
                case KEY_TILE -> (text.keys() + rows - 1) / rows;
                case TEXT -> 1;
            };
            for (int i = 0; i < count; i++) {
                tiles.add(new Tile(text, i));
            }
        }
        if (part == Part.QUERY_TILE) {
            tiles.sort(Comparator.comparingInt(tile -> -(tile.text().keys() - tile.text().queries() + tile.index() * rows)));
        } else if (part == Part.KEY_TILE) {
            tiles.sort(Comparator.comparingInt(tile -> tile.index() * rows - tile.text().keys()));
        }
        return tiles;
    }

    private static byte[] bytes(List<Tile> tiles) {
        ByteBuffer buffer = ByteBuffer.allocate(tiles.size() * BYTES).order(ByteOrder.nativeOrder());
        tiles.forEach(tile -> put(buffer, tile.text(), tile.index()));
        return buffer.array();
    }

    static void put(ByteBuffer buffer, PackedTexts.Entry text, int tile) {
        buffer.putLong(text.statistics()).putInt(text.capacity()).putInt(text.slot()).putInt(text.queries())
                .putInt(text.keys()).putInt(text.firstQuery()).putInt(text.firstKey()).putInt(tile)
                .putInt(text.firstPage());
    }

    /** The pages of all texts, on the device. */
    MemorySegment of(PageTable table) {
        if (pages.isEmpty() || pages.get() != table) {
            freePages();
            MemorySegment numbers = MemorySegment.ofArray(table.pages());
            pagesOnDevice = device.allocate(numbers.byteSize());
            device.upload(pagesOnDevice, numbers);
            pages = Optional.of(table);
        }
        return pagesOnDevice;
    }

    private void freePages() {
        pages.ifPresent(old -> device.free(pagesOnDevice));
        pages = Optional.empty();
    }

    void close() {
        freePages();
        tables.values().forEach(table -> device.free(table.memory()));
        tables.clear();
    }
}
