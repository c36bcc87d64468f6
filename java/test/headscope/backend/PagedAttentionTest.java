package headscope.backend;

import static headscope.backend.Agreement.same;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Keys and values in the pages of a pool. */
class PagedAttentionTest {
    /** Output and statistics of one text. */
    private record Observed(float[] out, List<float[]> vectors, double[] columnSum) {
        void compare(String what, Observed actual) {
            same(what + ": output", out, actual.out);
            for (int i = 0; i < vectors.size(); i++) {
                same("%s: statistics %d".formatted(what, i), vectors.get(i), actual.vectors.get(i));
            }
            same(what + ": column sums", columnSum, actual.columnSum);
        }
    }

    /** A text of the case's first rows, and the numbers of rows of its passes. */
    private record Piecewise(int tokens, int[] pieces) {
        static Piecewise of(int tokens, int prompt) {
            int[] pieces = AttentionCase.ones(1 + tokens - prompt);
            pieces[0] = prompt;
            return new Piecewise(tokens, pieces);
        }

        int before(int pass) {
            return Arrays.stream(pieces, 0, pass).sum();
        }

        int pages() {
            return PageTable.count(tokens);
        }
    }

    private static Map<String, Supplier<Backend>> backends() {
        Map<String, Supplier<Backend>> backends = new LinkedHashMap<>();
        backends.put("reference", Devices::reference);
        Devices.ALL.forEach(device -> backends.put(device, () -> Devices.open(device)));
        for (DType type : List.of(DType.BF16, DType.F16)) {
            backends.put("emulated " + type, () -> Devices.emulated(type));
        }
        return backends;
    }

    /** A long and a short text, prefilled and decoded together, have the bits of each alone and without pages. */
    @ParameterizedTest
    @MethodSource("headscope.backend.AttentionCase#fewCausal")
    void pagesAndOtherTextsChangeNothing(AttentionCase one) {
        int tokens = one.tokens();
        List<Piecewise> texts = List.of(
                Piecewise.of(tokens, (tokens + 1) / 2), Piecewise.of((tokens + 1) / 2, (tokens + 3) / 4));
        backends().forEach((name, open) -> {
            try (Backend backend = open.get()) {
                List<Observed> alone = texts.stream().map(text -> alone(backend, one, text)).toList();
                for (boolean scattered : new boolean[] {false, true}) {
                    List<Observed> together = together(backend, one, texts, scattered);
                    for (int i = 0; i < texts.size(); i++) {
                        alone.get(i).compare("%s, text %d, scattered %s".formatted(name, i, scattered), together.get(i));
                    }
                }
                assertEquals(0, backend.liveBytes());
            }
        });
    }

    private static Observed alone(Backend backend, AttentionCase one, Piecewise text) {
        try (TensorScope on = new TensorScope(backend)) {
            AttentionSpec spec = one.spec(on);
            Tensor q = one.queries(on);
            Tensor k = one.keys(on);
            Tensor v = one.values(on);
            Tensor out = on.unwritten(text.tokens(), q.size(1));
            AttentionStatistics statistics = on.statistics(one.heads(), text.tokens() + 3);
            for (int pass = 0; pass < text.pieces().length; pass++) {
                int before = text.before(pass);
                int rows = text.pieces()[pass];
                backend.attention(out.rows(before, rows), q.rows(before, rows), k.rows(0, before + rows),
                        v.rows(0, before + rows), Packing.of(rows, before + rows), spec, Optional.of(statistics));
            }
            return observed(backend, backend.download(out), statistics, text.tokens());
        }
    }

    private static Observed observed(Backend backend, float[] out, AttentionStatistics statistics, int tokens) {
        List<float[]> vectors = new ArrayList<>();
        for (Tensor vector : List.of(statistics.logSumExp, statistics.logDiagonal, statistics.entropy, statistics.maximum,
                statistics.previous, statistics.distance)) {
            for (int head = 0; head < statistics.heads(); head++) {
                vectors.add(Arrays.copyOf(backend.download(vector.rows(head, 1)), tokens));
            }
        }
        double[] sums = IntStream.range(0, statistics.heads())
                .mapToObj(head -> Reference.downloadDoubles(backend, statistics.columnSum.rows(head, 1)))
                .flatMapToDouble(row -> Arrays.stream(row, 0, tokens))
                .toArray();
        return new Observed(out, vectors, sums);
    }

    /** In slots 2 and 0 of the statistics. */
    private static List<Observed> together(
            Backend backend, AttentionCase one, List<Piecewise> texts, boolean scattered) {
        try (TensorScope on = new TensorScope(backend);
                AttentionStatistics statistics = new AttentionStatistics(
                        backend, one.heads(), new int[] {one.tokens(), 1, one.tokens() + 3}, Optional.empty())) {
            AttentionSpec spec = one.spec(on);
            int pages = texts.stream().mapToInt(Piecewise::pages).sum();
            long keyWidth = (long) one.kvHeads() * one.headDim();
            Tensor keys = on.allocate(backend.operands(), PageTable.TOKENS * (pages + 1L), keyWidth);
            Tensor values = on.allocate(backend.operands(), PageTable.TOKENS * (pages + 1L), keyWidth);
            List<int[]> places = scattered
                    ? List.of(descending(pages, texts.get(0).pages()), descending(pages - texts.get(0).pages(), texts.get(1).pages()))
                    : List.of(range(1, texts.get(0).pages()), range(1 + texts.get(0).pages(), texts.get(1).pages()));
            float[][] outs = new float[texts.size()][0];
            for (int pass = 0; pass < texts.getFirst().pieces().length; pass++) {
                pass(on, one, spec, texts, places, pass, keys, values, statistics, outs);
            }
            List<Observed> observed = new ArrayList<>();
            for (int i = 0; i < texts.size(); i++) {
                observed.add(observed(backend, outs[i], statistics.text(slot(i)), texts.get(i).tokens()));
            }
            return observed;
        }
    }

    private static int slot(int text) {
        return text == 0 ? 2 : 0;
    }

    private static int[] range(int first, int count) {
        return IntStream.range(first, first + count).toArray();
    }

    /** No page follows the one before it. */
    private static int[] descending(int from, int count) {
        return IntStream.range(0, count).map(i -> from - i).toArray();
    }

    private static void pass(
            TensorScope on, AttentionCase one, AttentionSpec spec, List<Piecewise> texts, List<int[]> places, int pass,
            Tensor keys, Tensor values, AttentionStatistics statistics, float[][] outs) {
        List<Packing.Text> packed = new ArrayList<>();
        List<int[]> pages = new ArrayList<>();
        List<float[]> q = new ArrayList<>();
        List<float[]> k = new ArrayList<>();
        List<float[]> v = new ArrayList<>();
        List<Integer> of = new ArrayList<>();
        int width = one.heads() * one.headDim();
        int keyWidth = one.kvHeads() * one.headDim();
        for (int i = 0; i < texts.size(); i++) {
            Piecewise text = texts.get(i);
            if (pass < text.pieces().length) {
                int before = text.before(pass);
                int rows = text.pieces()[pass];
                packed.add(new Packing.Text(rows, before + rows, slot(i)));
                pages.add(places.get(i));
                q.add(Arrays.copyOfRange(one.queries(), before * width, (before + rows) * width));
                k.add(Arrays.copyOfRange(one.keys(), before * keyWidth, (before + rows) * keyWidth));
                v.add(Arrays.copyOfRange(one.values(), before * keyWidth, (before + rows) * keyWidth));
                of.add(i);
            }
        }
        Packing packing = Packing.paged(packed, pages);
        Projections parts = new Projections(on.allocate(on.backend.operands(), packing.queries(), width), keys, values);
        on.backend.splitHeads(
                parts, on.tensor(Inputs.sideBySide(packing.queries(), joined(q), joined(k), joined(v)),
                        packing.queries(), width + 2L * keyWidth), HeadTransform.none(one.headDim()), packing);
        Tensor out = on.unwritten(packing.queries(), width);
        on.backend.attention(out, parts.q(), keys, values, packing, spec,
                Optional.of(statistics));
        for (int i = 0; i < packed.size(); i++) {
            float[] rows = on.backend.download(new TextRows(packing, i).queries(out));
            outs[of.get(i)] = joined(List.of(outs[of.get(i)], rows));
        }
    }

    private static float[] joined(List<float[]> parts) {
        float[] all = new float[parts.stream().mapToInt(part -> part.length).sum()];
        int at = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }

    @Test
    void rowsOfPages() {
        Packing packing = Packing.paged(
                List.of(new Packing.Text(2, 17, 0), new Packing.Text(3, 3, 1)), List.of(new int[] {4, 1, 9}, new int[] {0}));
        PageTable pages = packing.pages().orElseThrow();
        assertArrayEquals(new int[] {4, 1, 0}, pages.pages());
        assertEquals(2, pages.first(1));
        assertArrayEquals(new int[] {79, 16, 0, 1, 2}, pages.newRows(packing));
        assertEquals(20, pages.rows(packing).length);
        assertEquals(Optional.empty(), packing.inPool());
        Packing together = Packing.paged(List.of(new Packing.Text(1, 17, 0)), List.of(new int[] {4, 5})).inPool().orElseThrow();
        assertEquals(64, together.firstKey(0));
        for (List<int[]> wrong : List.of(List.of(new int[] {1}), List.of(new int[] {1, 1}), List.of(new int[] {1, -1}))) {
            assertThrows(IllegalArgumentException.class,
                    () -> Packing.paged(List.of(new Packing.Text(1, 17, 0)), wrong));
        }
    }
}
