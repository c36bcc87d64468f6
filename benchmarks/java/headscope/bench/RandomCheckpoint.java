package headscope.bench;

import headscope.tensor.DType;
import headscope.tensor.SafetensorsWriter;
import headscope.tensor.SafetensorsWriter.Layout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A checkpoint folder of GPT-2 small's shape with random fp32 weights, 498 MB. */
record RandomCheckpoint(Path folder) implements AutoCloseable {
    static final int VOCABULARY = 50_257;
    private static final int WIDTH = 768;
    private static final int CONTEXT = 1024;
    private static final int LAYERS = 12;
    private static final String CONFIG = """
            {"model_type": "gpt2", "vocab_size": %d, "n_embd": %d, "n_layer": %d, "n_head": 12, "n_positions": %d,
             "activation_function": "gelu_new", "eos_token_id": 50256}
            """.formatted(VOCABULARY, WIDTH, LAYERS, CONTEXT);

    /** Writes to a new temporary folder. */
    static RandomCheckpoint write() throws IOException {
        Path folder = Files.createTempDirectory("headscope-benchmark");
        Files.writeString(folder.resolve("config.json"), CONFIG);
        Gaussian random = new Gaussian();
        List<Layout> tensors = tensors();
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(folder.resolve("model.safetensors"), Map.of(), tensors)) {
            for (Layout tensor : tensors) {
                long rows = tensor.shape()[0];
                float[] row = new float[(int) (tensor.shape().length == 1 ? 1 : tensor.shape()[1])];
                for (long i = 0; i < rows; i++) {
                    random.fill(row, 0.02f);
                    writer.append(tensor.name(), row);
                }
            }
            writer.commit();
        }
        return new RandomCheckpoint(folder);
    }

    private static List<Layout> tensors() {
        List<Layout> tensors = new ArrayList<>();
        tensors.add(new Layout("transformer.wte.weight", DType.F32, VOCABULARY, WIDTH));
        tensors.add(new Layout("transformer.wpe.weight", DType.F32, CONTEXT, WIDTH));
        for (int layer = 0; layer < LAYERS; layer++) {
            String at = "transformer.h." + layer + ".";
            norm(tensors, at + "ln_1");
            linear(tensors, at + "attn.c_attn", WIDTH, 3 * WIDTH);
            linear(tensors, at + "attn.c_proj", WIDTH, WIDTH);
            norm(tensors, at + "ln_2");
            linear(tensors, at + "mlp.c_fc", WIDTH, 4 * WIDTH);
            linear(tensors, at + "mlp.c_proj", 4 * WIDTH, WIDTH);
        }
        norm(tensors, "transformer.ln_f");
        return tensors;
    }

    private static void norm(List<Layout> tensors, String name) {
        tensors.add(new Layout(name + ".weight", DType.F32, WIDTH));
        tensors.add(new Layout(name + ".bias", DType.F32, WIDTH));
    }

    private static void linear(List<Layout> tensors, String name, int in, int out) {
        tensors.add(new Layout(name + ".weight", DType.F32, in, out));
        tensors.add(new Layout(name + ".bias", DType.F32, out));
    }

    @Override
    public void close() throws IOException {
        Files.delete(folder.resolve("config.json"));
        Files.delete(folder.resolve("model.safetensors"));
        Files.delete(folder);
    }
}
