package headscope.tensor;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The tensors of a safetensors file or of a model folder with one or several such files, memory-mapped. Thread-safe for
 * reading. {@link #close} unmaps the files; reading a tensor afterwards throws {@link IllegalStateException}. A file that
 * shrinks while it is open is reported by {@link StoredTensor#copyTo}.
 */
public final class Safetensors implements AutoCloseable {
    private static final String SINGLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";

    private final Path path;
    private final Arena arena = Arena.ofShared();
    private final List<Path> files = new ArrayList<>();
    private final SortedMap<String, StoredTensor> tensors = new TreeMap<>();
    private final Map<String, String> metadata = new TreeMap<>();

    private Safetensors(Path path) {
        this.path = path;
    }

    /**
     * Opens a {@code .safetensors} file, or a folder that contains {@code model.safetensors} or otherwise
     * {@code model.safetensors.index.json} and its shards.
     *
     * @throws ModelFormatException if a file is missing, cannot be read, or violates the format
     */
    public static Safetensors open(Path path) {
        Safetensors opened = new Safetensors(path);
        try {
            if (!Files.isDirectory(path)) {
                opened.add(path);
            } else if (Files.exists(path.resolve(SINGLE))) {
                opened.add(path.resolve(SINGLE));
            } else if (Files.exists(path.resolve(INDEX))) {
                opened.addShards(path, path.resolve(INDEX));
            } else {
                throw new ModelFormatException(path, "contains neither %s nor %s%s"
                        .formatted(SINGLE, INDEX, otherFormat(path)));
            }
            return opened;
        } catch (Throwable failure) {
            opened.close();
            throw failure;
        }
    }

    /** The file or folder that was opened. */
    public Path path() {
        return path;
    }

    /** Sorted; unmodifiable. */
    public Set<String> names() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    public boolean has(String name) {
        return tensors.containsKey(name);
    }

    /** @throws ModelFormatException if there is no such tensor */
    public StoredTensor get(String name) {
        StoredTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new ModelFormatException(path, "tensor " + Printable.quote(name), "no such tensor");
        }
        return tensor;
    }

    /** Metadata of all files, such as {@code format}; the first shard wins if shards disagree. */
    public Map<String, String> metadata() {
        return Collections.unmodifiableMap(metadata);
    }

    /** The file, or the shards sorted by name. */
    public List<Path> files() {
        return Collections.unmodifiableList(files);
    }

    /** Unmaps the files. Idempotent. */
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    private void addShards(Path folder, Path index) {
        Map<String, String> fileOfTensor = ShardIndex.read(index);
        for (String shard : new LinkedHashSet<>(fileOfTensor.values().stream().sorted().toList())) {
            if (!Files.exists(folder.resolve(shard))) {
                throw new ModelFormatException(index, "shard " + Printable.quote(shard), "no such file");
            }
            add(folder.resolve(shard));
        }
        fileOfTensor.forEach((name, shard) -> {
            if (!has(name) || !get(name).file().equals(folder.resolve(shard))) {
                throw new ModelFormatException(index, "tensor " + Printable.quote(name),
                        "is not in " + shard);
            }
        });
    }

    private void add(Path file) {
        MemorySegment mapped = map(file);
        SafetensorsHeader header = MappedFile.read(file, mapped.byteSize(), () -> new SafetensorsHeader(file, mapped));
        files.add(file);
        header.metadata().forEach(metadata::putIfAbsent);
        for (SafetensorsHeader.Entry entry : header.entries()) {
            MemorySegment bytes = mapped.asSlice(
                    header.dataStart() + entry.begin(), entry.end() - entry.begin());
            StoredTensor tensor = new StoredTensor(file, mapped.byteSize(), entry.name(), entry.dtype(), entry.shape(), bytes);
            StoredTensor other = tensors.putIfAbsent(entry.name(), tensor);
            if (other != null) {
                throw new ModelFormatException(file, "tensor " + Printable.quote(entry.name()),
                        "is also in " + other.file().getFileName());
            }
        }
    }

    /** What to do if a folder contains weights in another format. */
    private static String otherFormat(Path folder) {
        for (String name : List.of("pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.safetensors")) {
            if (Files.exists(folder.resolve(name))) {
                return ", but %s: load the model with transformers and save it with save_pretrained".formatted(name);
            }
        }
        return Files.exists(folder.resolve("adapter_model.safetensors"))
                ? ", but an adapter: merge it into its base model (PEFT: merge_and_unload, then save_pretrained)"
                : "";
    }

    private MemorySegment map(Path file) {
        try {
            InputFile.requireRegular(file);
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
                InputFile.requireNoPointer(mapped.asSlice(0, Math.min(mapped.byteSize(), InputFile.MAX_POINTER))
                        .toArray(ValueLayout.JAVA_BYTE));
                return mapped;
            }
        } catch (IOException failure) {
            throw new ModelFormatException(file, InputFile.fault(failure));
        }
    }
}
