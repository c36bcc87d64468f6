package headscope.analysis;

import headscope.tensor.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The files of a model folder that decide numbers, as they were when the run began. They are read twice, for computing
 * and for the digests of the manifest, so they must not change in between, not even at the same size.
 */
record ModelFiles(Path folder, SortedMap<Path, String> states) {
    static ModelFiles of(Path folder) {
        SortedMap<Path, String> states = new TreeMap<>();
        for (String name : ModelDigests.SETTINGS.values()) {
            state(folder.resolve(name)).ifPresent(state -> states.put(folder.resolve(name), state));
        }
        try (Stream<Path> members = Files.list(folder)) {
            members.filter(file -> file.toString().endsWith(".safetensors"))
                    .forEach(file -> state(file).ifPresent(state -> states.put(file, state)));
        } catch (IOException unreadable) {
            // opening the checkpoint reports it
        }
        return new ModelFiles(folder, states);
    }

    /** @throws ModelFormatException if a file was changed, replaced, added or deleted */
    void requireUnchanged() {
        SortedMap<Path, String> now = of(folder).states;
        SortedMap<Path, String> all = new TreeMap<>(states);
        all.putAll(now);
        for (Path file : all.keySet()) {
            if (!Objects.equals(states.get(file), now.get(file))) {
                throw new ModelFormatException(file,
                        "changed while the model was being read; repeat the command once nothing writes to it");
            }
        }
    }

    /** Size, time of the last change, and inode; empty if there is no such file. */
    private static Optional<String> state(Path file) {
        try {
            BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class);
            return Optional.of("%d %s %s".formatted(found.size(), found.lastModifiedTime(), found.fileKey()));
        } catch (IOException absent) {
            return Optional.empty();
        }
    }
}
