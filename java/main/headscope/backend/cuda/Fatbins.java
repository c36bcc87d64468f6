package headscope.backend.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Supplier;

/**
 * Compiled kernels, built by CMake and packaged by Maven.
 *
 * @param toolkit       major version of the CUDA toolkit that compiled them
 * @param architectures compute capabilities, such as 80 for 8.0, ascending; the last also as PTX
 * @param images        reads the fatbin of a family; the names of those for Hopper alone end with {@link #HOPPER}
 */
record Fatbins(int toolkit, List<Integer> architectures, Map<String, Supplier<byte[]>> images) {
    /** Ends the names of families whose kernels use instructions of compute capability 9.0a. */
    static final String HOPPER = "_90a";

    private static final int HOPPER_CAPABILITY = 90;

    static final String MISSING = "no compiled kernels: run ./headscope kernels on a machine with nvcc";

    /** For uses of a device that need no kernels. */
    static Fatbins none() {
        return new Fatbins(0, List.of(), Map.of());
    }

    /** The fatbins in the jar; empty if it was built without nvcc. */
    static Optional<Fatbins> packaged() {
        try (InputStream index = Fatbins.class.getResourceAsStream("/cuda/fatbins.properties")) {
            if (index == null) {
                return Optional.empty();
            }
            Properties properties = new Properties();
            properties.load(index);
            Map<String, Supplier<byte[]>> images = new LinkedHashMap<>();
            for (String family : properties.getProperty("families").split(",")) {
                String image = "/cuda/" + family + ".fatbin";
                if (Fatbins.class.getResource(image) == null) {
                    return Optional.empty();
                }
                images.put(family, () -> bytes(image));
            }
            return Optional.of(new Fatbins(
                    Integer.parseInt(properties.getProperty("toolkit")),
                    Arrays.stream(properties.getProperty("architectures").split(",")).map(Integer::valueOf).toList(),
                    images));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] bytes(String resource) {
        try (InputStream in = Fatbins.class.getResourceAsStream(resource)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether these contain kernels for Hopper and the GPU is a Hopper. */
    boolean haveWarpGroups(Gpu gpu) {
        return gpu.capability() == HOPPER_CAPABILITY && architectures.contains(HOPPER_CAPABILITY);
    }

    /** Reads the images that a GPU can load. */
    Map<String, byte[]> images(Gpu gpu) {
        Map<String, byte[]> loadable = new LinkedHashMap<>();
        images.forEach((family, image) -> {
            if (haveWarpGroups(gpu) || !family.endsWith(HOPPER)) {
                loadable.put(family, image.get());
            }
        });
        return loadable;
    }

    /** Which of these a GPU runs, or why it cannot run any. */
    Match match(Gpu gpu) {
        int own = gpu.capability();
        Optional<Integer> compiled = architectures.stream()
                .filter(target -> target / 10 == own / 10 && target <= own).max(Integer::compare);
        int newest = architectures.getLast();
        if (compiled.isPresent()) {
            return new Match(true, "compiled for compute capability " + Gpu.dotted(compiled.get()));
        }
        return own > newest
                ? new Match(true, "PTX of compute capability %s, which the driver compiles at the first start"
                        .formatted(Gpu.dotted(newest)))
                : new Match(false, "kernels are compiled for compute capability %s and newer, the GPU has %s"
                        .formatted(Gpu.dotted(architectures.getFirst()), Gpu.dotted(own)));
    }

    /** @param how how the kernels run, or why they do not */
    record Match(boolean runs, String how) {}
}
