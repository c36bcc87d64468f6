package headscope.backend.cuda;

import headscope.backend.DeviceException;
import headscope.backend.DeviceMemoryException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A possible location of cuBLAS.
 *
 * @param version 12 or 13
 * @param folder  the folder that contains it; empty = the system's library path
 */
record CublasLibrary(int version, Optional<Path> folder) {
    /** Names a folder with cuBLAS, such as site-packages/nvidia/cublas/lib of a Python environment, or one above it. */
    static final String VARIABLE = "HEADSCOPE_CUBLAS";
    private static final List<Integer> VERSIONS = List.of(12, 13);
    private static final List<String> BELOW = List.of(
            "", "lib64", "lib", "nvidia/*/lib", "lib/python*/site-packages/nvidia/*/lib");

    /** In the order of precedence. */
    static List<CublasLibrary> candidates() {
        List<CublasLibrary> found = new ArrayList<>();
        places(VARIABLE).forEach(place -> in(place, found));
        List<Path> places = new ArrayList<>();
        for (String variable : List.of("CUDA_HOME", "CUDA_PATH", "VIRTUAL_ENV", "CONDA_PREFIX")) {
            places.addAll(places(variable));
        }
        places.addAll(matching(Path.of("/usr/local"), "cuda*"));
        for (int version : VERSIONS) {
            found.add(new CublasLibrary(version, Optional.empty()));
            List<CublasLibrary> here = new ArrayList<>();
            places.forEach(place -> in(place, here));
            here.stream().filter(library -> library.version == version).forEach(found::add);
        }
        return found;
    }

    /** That the variable names a place without cuBLAS, if it does. */
    static Optional<String> ignored() {
        List<CublasLibrary> found = new ArrayList<>();
        List<Path> places = places(VARIABLE);
        places.forEach(place -> in(place, found));
        return places.isEmpty() || !found.isEmpty() ? Optional.empty()
                : Optional.of(VARIABLE + " is ignored: there is no " + VERSIONS.stream().map(version -> name("libcublas", version))
                        .collect(Collectors.joining(" or ")) + " in " + places.getFirst() + "; name the folder that contains it");
    }

    private static List<Path> places(String variable) {
        String place = System.getenv(variable);
        return place == null || place.isBlank() ? List.of() : List.of(Path.of(place).toAbsolutePath());
    }

    private static void in(Path place, List<CublasLibrary> found) {
        for (String below : BELOW) {
            for (Path folder : below(place, below)) {
                for (int version : VERSIONS) {
                    if (Files.exists(folder.resolve(name("libcublas", version)))) {
                        found.add(new CublasLibrary(version, Optional.of(folder)));
                    }
                }
            }
        }
    }

    /** Folders below a folder; names may be glob patterns. */
    private static List<Path> below(Path place, String names) {
        List<Path> folders = List.of(place);
        for (String name : names.isEmpty() ? new String[0] : names.split("/")) {
            folders = folders.stream().flatMap(folder -> matching(folder, name).stream()).toList();
        }
        return folders;
    }

    private static List<Path> matching(Path folder, String pattern) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, pattern)) {
            entries.forEach(found::add);
        } catch (IOException | DirectoryIteratorException unreadable) {
            return List.of();
        }
        return found.stream().sorted().toList();
    }

    private static String name(String library, int version) {
        return library + ".so." + version;
    }

    /**
     * Empty if the library is missing or does not start on this GPU.
     *
     * @throws DeviceMemoryException if there is not enough memory to start it
     */
    Optional<Blas> open(Stream stream, boolean tf32) {
        try {
            if (version == 13) {
                return Optional.of(new ForeignBlas(load("libcublas"), stream, tf32));
            }
            // JCublas uses a library that is already loaded under this name, from any folder.
            folder.ifPresent(here -> load("libcublas"));
            return Optional.of(new JCublasBlas(stream, tf32));
        } catch (DeviceMemoryException full) {
            throw full;
        } catch (LinkageError | IllegalArgumentException | NoSuchElementException | DeviceException absent) {
            return Optional.empty();
        }
    }

    @SuppressWarnings("restricted")
    private SymbolLookup load(String library) {
        String file = name(library, version);
        if (folder.isEmpty()) {
            return SymbolLookup.libraryLookup(file, Arena.global());
        }
        Path dependency = folder.get().resolve(name("libcublasLt", version));
        if (Files.exists(dependency)) { // a dependency that cuBLAS would search in the system's library path only
            SymbolLookup.libraryLookup(dependency, Arena.global());
        }
        return SymbolLookup.libraryLookup(folder.get().resolve(file), Arena.global());
    }
}
