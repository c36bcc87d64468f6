package headscope.bench;

import com.sun.management.OperatingSystemMXBean;
import headscope.analysis.Digest;
import headscope.backend.Backend;
import headscope.model.Checkpoint;
import headscope.model.Transformer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** How long a checkpoint takes until it can be used on the CPU. Arguments: a model folder, and how often it is read (default: 5). */
final class WeightsBenchmark {
    private static final OperatingSystemMXBean PROCESS = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private WeightsBenchmark() {}

    static void run(List<String> arguments) throws IOException {
        System.out.print(Machine.now().describe("weights " + String.join(" ", arguments)));
        read(Path.of(arguments.getFirst()), arguments.size() > 1 ? Integer.parseInt(arguments.get(1)) : 5);
        System.out.println("\nload after: " + Files.readString(Path.of("/proc/loadavg")).strip());
    }

    private static void read(Path model, int times) {
        System.out.printf("| %s | ready | digested | both at once: ready | digested |%n|---|--:|--:|--:|--:|%n", model.getFileName());
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            List<Path> files = checkpoint.tensors().files();
            for (int i = 1; i <= times; i++) {
                Time ready = ready(model);
                Time digested = Time.of(() -> Digest.of(files));
                CompletableFuture<Time> beside = CompletableFuture.supplyAsync(() -> Time.of(() -> Digest.of(files)));
                Time together = ready(model);
                System.out.printf("| %d | %s | %s | %.2f s | %.2f s |%n", i, ready, digested, together.wall, beside.join().wall);
            }
        }
        System.out.println();
    }

    private static Time ready(Path model) {
        try (Backend backend = Backend.open("cpu")) {
            return Time.of(() -> {
                try (Checkpoint checkpoint = Checkpoint.open(model)) {
                    new Transformer(checkpoint, backend).close();
                }
            });
        }
    }

    /** Seconds, and seconds of all processors, which depend less on what else the machine does. */
    private record Time(double wall, double processors) {
        static Time of(Runnable work) {
            long wall = System.nanoTime();
            long processors = PROCESS.getProcessCpuTime();
            work.run();
            return new Time((System.nanoTime() - wall) / 1e9, (PROCESS.getProcessCpuTime() - processors) / 1e9);
        }

        @Override
        public String toString() {
            return "%.2f s, of processors %.2f s".formatted(wall, processors);
        }
    }
}
