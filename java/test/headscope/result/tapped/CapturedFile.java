package headscope.result.tapped;

import headscope.backend.AttentionSpec;
import headscope.model.LayerHook;
import headscope.model.Sequence;
import headscope.model.Transformer;
import headscope.tensor.DType;
import headscope.tensor.SafetensorsWriter;
import headscope.tensor.SafetensorsWriter.Layout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Writes queries and keys of a text in our own model as headscope_tap.save does. */
public final class CapturedFile {
    private CapturedFile() {}

    public static Path write(Transformer model, int[] ids, Path file, Map<String, String> metadata) {
        Map<String, float[]> tensors = new LinkedHashMap<>();
        List<Layout> layouts = new ArrayList<>();
        int layers = model.config().layers();
        try (Sequence sequence = model.sequence(ids.length)) {
            model.forward(sequence, ids, new LayerHook() {
                @Override
                public void attention(int layer, Attention attention) {
                    AttentionSpec spec = attention.spec();
                    tensors.put("query." + layer, model.backend().download(attention.query()));
                    layouts.add(new Layout("query." + layer, DType.F32, ids.length, spec.heads(), spec.headDim()));
                    tensors.put("key." + layer, model.backend().download(attention.key()));
                    layouts.add(new Layout("key." + layer, DType.F32, ids.length, spec.kvHeads(), spec.headDim()));
                }
            });
        }
        List<AttentionSpec> specs = IntStream.range(0, layers).mapToObj(model::attentionSpec).toList();
        float[] scales = new float[layers];
        float[] softCaps = new float[layers];
        for (int layer = 0; layer < layers; layer++) {
            scales[layer] = specs.get(layer).scale();
            softCaps[layer] = specs.get(layer).softCap();
        }
        tensors.put("scale", scales);
        tensors.put("soft_cap", softCaps);
        layouts.addAll(List.of(
                new Layout("scale", DType.F32, layers), new Layout("soft_cap", DType.F32, layers),
                new Layout("causal", DType.I64, layers), new Layout("window", DType.I64, layers),
                new Layout("ids", DType.I64, ids.length)));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, metadata, layouts)) {
            tensors.forEach(writer::append);
            writer.append("causal", specs.stream().mapToLong(spec -> spec.causal() ? 1 : 0).toArray());
            writer.append("window", specs.stream().mapToLong(AttentionSpec::window).toArray());
            writer.append("ids", IntStream.of(ids).asLongStream().toArray());
            writer.commit();
        }
        return file;
    }
}
