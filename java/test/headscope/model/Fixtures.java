package headscope.model;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import headscope.tensor.DType;
import headscope.tensor.Safetensors;
import headscope.tensor.StoredTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** The tiny checkpoints in the test resources, unchanged or modified. */
final class Fixtures {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A tensor to write to a file. */
    record Raw(DType dtype, long[] shape, byte[] bytes) {
        static Raw f32(long[] shape, float... values) {
            ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(values);
            return new Raw(DType.F32, shape, bytes.array());
        }

        static Raw halves(DType dtype, long[] shape, short... values) {
            ByteBuffer bytes = ByteBuffer.allocate(values.length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asShortBuffer().put(values);
            return new Raw(dtype, shape, bytes.array());
        }

        /** Elements of an F32 tensor. */
        float[] floats() {
            float[] values = new float[bytes.length / Float.BYTES];
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
            return values;
        }
    }

    private Fixtures() {}

    /** All fixtures: in the test resources and below -Dheadscope.fixtures=DIR. */
    static List<Path> folders() {
        List<Path> roots = new ArrayList<>(List.of(folder("")));
        Optional.ofNullable(System.getProperty("headscope.fixtures"))
                .filter(folder -> !folder.isEmpty())
                .ifPresent(folder -> roots.add(Path.of(folder)));
        List<Path> found = new ArrayList<>();
        for (Path root : roots) {
            try (Stream<Path> files = Files.walk(root)) {
                files.filter(file -> file.endsWith("expected.safetensors")).map(Path::getParent).sorted()
                        .forEach(found::add);
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        }
        assertTrue(found.size() >= 13, "some fixtures are missing: " + found);
        return found;
    }

    static List<Path> causal() {
        return folders().stream().filter(folder -> {
            try (Checkpoint checkpoint = Checkpoint.open(folder)) {
                return checkpoint.config().causal();
            }
        }).toList();
    }

    static int[] ids(Safetensors file, String name) {
        return Arrays.stream(file.get(name).longs()).mapToInt(Math::toIntExact).toArray();
    }

    static Path folder(String name) {
        try {
            return Path.of(Fixtures.class.getResource("/headscope/fixtures/" + name).toURI());
        } catch (URISyntaxException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** Writes a folder that contains only a fixture's modified config.json. */
    static Path config(String name, Path into, Consumer<ObjectNode> change) {
        try {
            ObjectNode config = (ObjectNode) JSON.readTree(Files.readString(folder(name).resolve("config.json")));
            change.accept(config);
            Files.createDirectories(into);
            Files.writeString(into.resolve("config.json"), JSON.writeValueAsString(config));
            return into;
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** Writes a folder with a fixture's config.json and its modified weights. */
    static Path weights(String name, Path into, Consumer<Map<String, Raw>> change) {
        config(name, into, same -> {});
        Map<String, Raw> tensors = new LinkedHashMap<>();
        try (Safetensors stored = Safetensors.open(folder(name))) {
            for (String tensor : stored.names()) {
                StoredTensor one = stored.get(tensor);
                tensors.put(tensor, Raw.f32(one.shape(), one.floats()));
            }
        }
        change.accept(tensors);
        write(into.resolve("model.safetensors"), tensors);
        return into;
    }

    private static void write(Path file, Map<String, Raw> tensors) {
        ObjectNode header = JSON.createObjectNode();
        int at = 0;
        for (Map.Entry<String, Raw> tensor : tensors.entrySet()) {
            ObjectNode entry = header.putObject(tensor.getKey());
            entry.put("dtype", tensor.getValue().dtype().name());
            for (long size : tensor.getValue().shape()) {
                entry.withArray("shape").add(size);
            }
            entry.withArray("data_offsets").add(at).add(at + tensor.getValue().bytes().length);
            at += tensor.getValue().bytes().length;
        }
        byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES + json.length + at).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json);
        tensors.values().forEach(tensor -> bytes.put(tensor.bytes()));
        try {
            Files.write(file, bytes.array());
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
