package headscope.timing;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import headscope.backend.AttentionSpec;
import headscope.backend.Backend;
import headscope.backend.Devices;
import headscope.backend.Packing;
import headscope.backend.TensorScope;
import headscope.model.Checkpoint;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Transformer;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;

/** Operations of a pass are timed one by one, with the work that their formulas need. */
class OperationClockTest {
    private static final Pass FIVE = new Pass(1, 0, 5);

    @Test
    void operationsAreTimedWithTheirWork() {
        try (Backend cpu = Backend.open("cpu:1"); TensorScope tensors = new TensorScope(cpu)) {
            OperationClock clock = new OperationClock(cpu);
            Backend timed = clock.backend();
            Tensor x = tensors.allocate(DType.F32, 5, 6);
            Tensor y = tensors.allocate(DType.F32, 5, 4);
            Tensor weight = tensors.allocate(DType.F32, 4, 6);
            Tensor norm = tensors.allocate(DType.F32, 4);
            AttentionSpec spec = AttentionSpec.plain(2, 1, 2, true);
            Tensor q = tensors.allocate(DType.F32, 5, 4);
            Tensor k = tensors.allocate(DType.F32, 5, 2);
            Tensor v = tensors.allocate(DType.F32, 5, 2);
            int[][] words = new int[1][];
            SequencedMap<OperationClock.Key, OperationClock.Spent> spent = clock.time(FIVE, () -> {
                timed.linear(y, x, weight, Optional.empty());
                timed.linear(y, x, weight, Optional.empty());
                timed.rmsNorm(y, y, norm, 1e-5f);
                timed.add(y, y.rows(0, 5));
                timed.attention(y, q, k, v, Packing.of(5, 5), spec, Optional.empty());
                words[0] = timed.argmax(y);
            });
            assertEquals(List.of("linear 4 x 6", "rmsNorm", "add", "attention", "argmax"),
                    spent.keySet().stream().map(OperationClock.Key::operation).toList());
            assertTrue(spent.entrySet().stream()
                    .allMatch(entry -> entry.getKey().kernel().equals("cpu") && entry.getValue().seconds() > 0));
            assertEquals(List.of(
                            new Cost(2 * 2 * 5 * 6 * 4, 2 * 4 * (20 + 30 + 24)),
                            new Cost(20, 4 * (20 + 20 + 4)),
                            new Cost(20, 4 * (20 + 20 + 20)), // x is read and written
                            new Cost(2 * 2 * 2 * 15 * 2, 4 * (20 + 20 + 10 + 10)),
                            new Cost(20, 4 * 20)),
                    spent.values().stream().map(OperationClock.Spent::cost).toList());
            assertArrayEquals(new int[5], words[0]);
            timed.add(y, y.rows(0, 5));
            assertEquals(5, spent.size());
        }
    }

    /** Every kernel of a pass belongs to an operation, and those that do its work have the work of its formula. */
    @Test
    void aPassOnAnEmulatedGpuIsTimedKernelByKernel() {
        try (Backend emulated = Devices.emulated(DType.BF16); Checkpoint checkpoint = Checkpoint.open(Path.of("models/demo"))) {
            OperationClock clock = new OperationClock(emulated);
            try (Transformer model = new Transformer(checkpoint, clock.backend()); Sequence text = model.sequence(5)) {
                int[] ids = {5, 6, 7, 8};
                SequencedMap<OperationClock.Key, OperationClock.Spent> prefill = clock.time(new Pass(1, 0, 4),
                        () -> model.logits(model.forward(text, ids, LayerHook.NONE).rows(3, 1)));
                SequencedMap<OperationClock.Key, OperationClock.Spent> decoding = clock.time(new Pass(1, 4, 1),
                        () -> clock.backend().argmax(model.logits(model.forward(text, new int[] {9}, LayerHook.NONE))));
                // two products of 12 layers with 12 heads of width 16
                assertEquals(12 * 2 * 2 * 12 * 16 * 10, cost(prefill, "attention", "attention_forward").operations());
                assertEquals(12 * 2 * 12 * 16 * 10, cost(prefill, "attention", "attention_columns").operations());
                assertEquals(12 * 2 * 2 * 12 * 16 * 5, cost(decoding, "attention", "attention_decode").operations());
                // q, k and v, read in fp32 and written in bf16
                assertEquals(12 * 4 * 3 * 192 * (4 + 2), cost(prefill, "splitHeads", "split_heads").bytes());
                assertEquals(12 * 2 * 4 * 192 * 768, cost(prefill, "linear 768 x 192", "linear").operations());
                assertTrue(decoding.containsKey(new OperationClock.Key("argmax", "argmax_f32")), decoding.keySet().toString());
            }
        }
    }

    /** The work of the only kernel of an operation whose name begins like this. */
    private static Cost cost(SequencedMap<OperationClock.Key, OperationClock.Spent> spent, String operation, String kernel) {
        List<Cost> costs = spent.entrySet().stream()
                .filter(entry -> entry.getKey().operation().equals(operation) && entry.getKey().kernel().startsWith(kernel))
                .map(entry -> entry.getValue().cost()).toList();
        assertEquals(1, costs.size(), spent.keySet().toString());
        return costs.getFirst();
    }

    @Test
    void aFailureIsTheBackendsOwn() {
        try (Backend cpu = Backend.open("cpu:1"); TensorScope tensors = new TensorScope(cpu)) {
            OperationClock clock = new OperationClock(cpu);
            Tensor three = tensors.allocate(DType.F32, 3);
            Tensor four = tensors.allocate(DType.F32, 4);
            for (Runnable call : List.<Runnable>of(() -> clock.backend().add(three, four),
                    () -> clock.time(FIVE, () -> clock.backend().add(three, four)))) {
                String message = assertThrows(IllegalArgumentException.class, call::run).getMessage();
                assertTrue(message.startsWith("add: "), message);
            }
            assertEquals(1, clock.time(FIVE, () -> clock.backend().scale(three, 2)).size());
        }
    }

    @Test
    void visiblePairsFollowMaskAndWindow() {
        AttentionSpec causal = AttentionSpec.plain(2, 1, 2, true);
        AttentionSpec window = new AttentionSpec(2, 1, 2, 1, true, 2, 0, Optional.empty());
        assertEquals(3 * 15, new Pass(3, 0, 5).pairs(causal));
        assertEquals(3 * 25, new Pass(3, 0, 5).pairs(AttentionSpec.plain(2, 1, 2, false)));
        assertEquals(3 * 9, new Pass(3, 0, 5).pairs(window));
        assertEquals(8, new Pass(1, 7, 1).pairs(causal));
        assertEquals(2, new Pass(1, 7, 1).pairs(window));
        assertEquals(2, new Pass(1, 7, 1).keys(window));
        assertEquals(16, new Pass(2, 7, 1).keys(causal));
    }

    /** On a GPU an operation has several kernels; only those with a known formula have a cost. */
    @Test
    void kernelsOfAnOperationShareItsWork() {
        try (Backend cpu = Backend.open("cpu:1"); TensorScope tensors = new TensorScope(cpu)) {
            Tensor q = tensors.allocate(DType.F32, 5, 4);
            Tensor k = tensors.allocate(DType.F32, 5, 2);
            AttentionSpec spec = AttentionSpec.plain(2, 1, 2, true);
            Object[] arguments = {q, q, k, k, Packing.of(5, 5), spec, Optional.of(tensors.statistics(2, 5))};
            OperationCost cost = OperationCost.of("attention", arguments, FIVE);
            Cost forward = cost.of("attention_forward_bf16_d128", false);
            assertEquals(2 * 2 * 2 * 15 * 2, forward.operations());
            assertEquals(4 * (20 + 20 + 10 + 10) + 6 * 4 * 2 * 5, forward.bytes());
            assertEquals(2 * 2 * 15 * 2, cost.of("attention_columns_bf16_d128", false).operations());
            assertEquals(new Cost(0, 0), cost.of("convert_f32_bf16", false));
            assertEquals(forward, cost.of("attention_decode_bf16_d128", false));
        }
    }
}
