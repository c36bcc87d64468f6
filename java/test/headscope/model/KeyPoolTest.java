package headscope.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.backend.Backend;
import headscope.backend.DeviceMemoryException;
import headscope.backend.Devices;
import headscope.backend.PageTable;
import headscope.tensor.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Pages of keys and values: which ones a text takes, and how many there are. */
class KeyPoolTest {
    private static final Path MODEL = Fixtures.folder("llama");

    private static ModelConfig config() {
        try (Checkpoint checkpoint = Checkpoint.open(MODEL)) {
            return checkpoint.config();
        }
    }

    @Test
    void pagesFollowOneAnotherIfPossible() {
        try (Backend backend = Backend.open("cpu:1"); KeyPool pool = new KeyPool(config(), backend, 8, 4)) {
            assertEquals(8 * PageTable.TOKENS, pool.keys(0).size(0));
            int[] first = pool.take(3).orElseThrow();
            assertArrayEquals(new int[] {0, 1, 2}, first);
            assertArrayEquals(new int[] {3, 4}, pool.take(2).orElseThrow());
            assertArrayEquals(new int[] {5, 6}, pool.take(2).orElseThrow());
            assertTrue(pool.take(2).isEmpty());
            pool.giveBack(first);
            assertArrayEquals(new int[] {0, 1}, pool.take(2).orElseThrow());
            assertArrayEquals(new int[] {2, 7}, pool.take(2).orElseThrow());
            assertTrue(pool.take(1).isEmpty());
        }
    }

    @Test
    void layersAndTheirKeysAndValuesAreApart() {
        ModelConfig config = config();
        try (Backend backend = Backend.open("cpu:1"); KeyPool pool = new KeyPool(config, backend, 3, 1)) {
            List<Long> addresses = new ArrayList<>();
            for (int layer = 0; layer < config.layers(); layer++) {
                addresses.add(pool.keys(layer).bytes().address());
                addresses.add(pool.values(layer).bytes().address());
            }
            long bytes = pool.keys(0).bytes().byteSize();
            IntStream.range(1, addresses.size())
                    .forEach(i -> assertEquals(addresses.get(i - 1) + bytes, addresses.get(i)));
        }
    }

    /** There is memory for 30 of 100 pages: half of half of them. */
    @Test
    void thePoolShrinksUntilItFits() {
        ModelConfig config = config();
        long page = 2L * config.layers() * config.keyWidth() * PageTable.TOKENS * Float.BYTES;
        try (Backend backend = Devices.emulated(30 * page)) {
            try (KeyPool pool = new KeyPool(config, backend, 100, 4)) {
                assertEquals(25 * PageTable.TOKENS, pool.keys(0).size(0));
            }
            assertThrows(DeviceMemoryException.class, () -> new KeyPool(config, backend, 100, 40));
            assertEquals(0, backend.liveBytes());
        }
    }

    /** Four pages for texts of one or two pages each, in three slots. */
    @Test
    void textsWaitForPagesAndSlots() {
        try (Backend backend = Backend.open("cpu:1");
                SequenceBatch texts = new SequenceBatch(config(), backend, 3, 2 * PageTable.TOKENS, PageTable.TOKENS, true)) {
            int first = texts.begin(20).orElseThrow();
            int second = texts.begin(32).orElseThrow();
            assertTrue(texts.begin(1).isEmpty());
            texts.end(first);
            assertEquals(first, texts.begin(16).orElseThrow());
            int third = texts.begin(3).orElseThrow();
            texts.end(second);
            texts.end(third);
            assertEquals(second, texts.begin(1).orElseThrow());
            assertEquals(third, texts.begin(1).orElseThrow());
            assertTrue(texts.begin(1).isEmpty());
        }
    }

    /** On an emulated GPU, with prompts in parts, the tokens are those of one text at a time. */
    @Test
    void generatesOnAnEmulatedGpu() {
        Sampler sampler = new Sampler(1, 1);
        try (LoadedModel loaded = LoadedModel.open(Devices.emulated(DType.F32), MODEL)) {
            List<int[]> prompts = IntStream.range(0, 4)
                    .mapToObj(text -> new Random(text).ints(18 + 3 * text, 1, 90).toArray()).toList();
            new BatchGenerator(loaded.model(), sampler, 3, new BatchGenerator.Size(3, 64, 16), true).generate(
                    IntStream.range(0, 4).mapToObj(text -> new BatchGenerator.Prompt(
                            prompts.get(text), new int[0], new Random(text), tokens -> false)).toList(),
                    LayerHook.NONE, (index, tokens, sequence, slot) -> {
                        try (Sequence alone = loaded.model().sequence(64)) {
                            assertArrayEquals(tokens, new Generator(loaded.model(), sampler, 3).generate(
                                    alone, prompts.get(index), new Random(index), LayerHook.NONE, generated -> false));
                        }
                    });
        }
    }
}
