package headscope.bench;

import com.sun.management.OperatingSystemMXBean;
import headscope.backend.Backend;
import headscope.backend.DeviceChoice;
import headscope.backend.Precision;
import headscope.model.Batch;
import headscope.model.Checkpoint;
import headscope.model.GradientHook;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Tape;
import headscope.model.Transformer;
import headscope.tensor.Tensor;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * Time of a model's passes on the CPU with weights that stay in 16 bits and with the same weights in fp32. Both models are in
 * memory, and their passes take turns. Arguments: a model folder with 16-bit weights, and the number of rounds (default: 15).
 */
final class KeptWeightsBenchmark {
    private static final int TOKENS = 128;
    private static final int NEW_TOKENS = 16;
    private static final int STEP = 13;
    private static final OperatingSystemMXBean PROCESS = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private KeptWeightsBenchmark() {}

    static void run(List<String> arguments) throws IOException {
        Path folder = Path.of(arguments.getFirst());
        int rounds = arguments.size() > 1 ? Integer.parseInt(arguments.get(1)) : 15;
        System.out.print(Machine.now().describe("kept " + String.join(" ", arguments)));
        try (Side wide = Side.open(folder, Optional.of(Precision.F32)); Side kept = Side.open(folder, Optional.empty())) {
            System.out.printf("| %s | F32: wall, processors | %s | speed: wall, processors |%n|---|--:|--:|--:|%n",
                    folder.getFileName(), kept.precision);
            compare("prefill of %d tokens".formatted(TOKENS), rounds, wide, kept, Side::prefill, 1);
            for (Side side : List.of(wide, kept)) {
                side.prefill();
            }
            compare("a token of one text", rounds, wide, kept, Side::decode, NEW_TOKENS);
            compare("a step of %d tokens".formatted(STEP), rounds, wide, kept, side -> side.add(STEP), 1);
            compare("forward and backward pass of %d tokens".formatted(TOKENS), rounds, wide, kept, Side::gradients, 1);
        }
        System.out.println("\nload after: " + Files.readString(Path.of("/proc/loadavg")).strip());
    }

    private interface Work {
        void on(Side side);
    }

    private static void compare(String what, int rounds, Side wide, Side kept, Work work, int steps) {
        List<double[]> times = new ArrayList<>();
        for (int round = -2; round < rounds; round++) {
            double[] one = new double[4];
            for (int turn = 0; turn < 2; turn++) {
                int side = (round & 1) ^ turn; // the first place in a round alternates
                long start = System.nanoTime();
                long processors = PROCESS.getProcessCpuTime();
                work.on(side == 0 ? wide : kept);
                one[2 * side] = (System.nanoTime() - start) / 1e6 / steps;
                one[2 * side + 1] = (PROCESS.getProcessCpuTime() - processors) / 1e6 / steps;
            }
            if (round >= 0) {
                times.add(one);
            }
        }
        double[] median = IntStream.range(0, 4)
                .mapToDouble(i -> times.stream().mapToDouble(one -> one[i]).sorted().toArray()[times.size() / 2])
                .toArray();
        System.out.printf("| %s | %.1f, %.1f ms | %.1f, %.1f ms | %.2f, %.2f |%n",
                what, median[0], median[1], median[2], median[3], median[0] / median[2], median[1] / median[3]);
    }

    /** A model with one text. */
    private record Side(Precision precision, Backend backend, Transformer model, Sequence text, int[] ids) implements AutoCloseable {
        /** @param precision of weights; empty for the checkpoint's own */
        static Side open(Path folder, Optional<Precision> precision) {
            try (Checkpoint checkpoint = Checkpoint.open(folder)) {
                Precision chosen = precision.orElseGet(checkpoint::precision);
                Backend backend = Backend.open(new DeviceChoice("cpu", Optional.of(chosen), false), () -> chosen, System.err::println);
                Transformer model = new Transformer(checkpoint, backend);
                int[] ids = new Random(1).ints(TOKENS, 0, model.config().vocabulary().size()).toArray();
                return new Side(chosen, backend, model, model.sequence(model.config().maxTokens()), ids);
            }
        }

        void prefill() {
            text.clear();
            forward(ids);
        }

        void decode() {
            requireRoom(NEW_TOKENS);
            for (int i = 0; i < NEW_TOKENS; i++) {
                forward(new int[] {ids[i]});
            }
        }

        void add(int tokens) {
            requireRoom(tokens);
            forward(IntStream.range(0, tokens).map(i -> ids[i]).toArray());
        }

        void gradients() {
            int[] last = {TOKENS - 1};
            try (Tape tape = model.forward(new Batch(List.of(ids)), Optional.empty(), LayerHook.NONE)) {
                Tensor logits = model.logits(tape, last);
                backend.gradients().crossEntropy(logits, new int[] {1}, new float[] {1});
                model.backward(tape, last, logits, GradientHook.NONE);
            }
        }

        private void requireRoom(int tokens) {
            if (text.tokens() + tokens > 2 * TOKENS) {
                prefill();
            }
        }

        private void forward(int[] tokens) {
            Tensor hidden = model.forward(text, tokens, LayerHook.NONE);
            model.logits(hidden.rows(tokens.length - 1, 1));
        }

        @Override
        public void close() {
            text.close();
            model.close();
            backend.close();
        }
    }
}
