package headscope.backend.cuda;

import headscope.backend.Backend;
import headscope.backend.DeviceException;
import headscope.backend.GpuReport;
import headscope.backend.GpuReport.Line;
import headscope.backend.Precision;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Entry point of this package: opens a GPU as a backend, or explains why there is none. */
public final class Cuda {
    /** Minimum driver versions for kernels compiled with CUDA 12 and CUDA 13. */
    private static final int DRIVER_12 = 525;
    private static final int DRIVER_13 = 580;
    private static final String NO_BLAS = "no cuBLAS 12 or 13: matrix products use built-in kernels, which are slower;"
            + " install libcublas, or set " + CublasLibrary.VARIABLE + " to the folder that contains it";

    private Cuda() {}

    /**
     * @param ordinal of the GPU
     * @param notice  receives a line if there is no cuBLAS, or not where it should be, on another thread
     * @throws IllegalArgumentException with the reason why the GPU cannot be used
     */
    public static Backend open(int ordinal, Precision precision, Consumer<String> notice) {
        unavailable(ordinal).ifPresent(reason -> {
            throw new IllegalArgumentException("--device cuda cannot be used: " + reason);
        });
        return openAvailable(ordinal, precision, notice);
    }

    /**
     * Opens the first GPU that works.
     *
     * @param unusable receives why a GPU before it, or any GPU, cannot be used, and what to do
     */
    public static Optional<Backend> openFirst(
            Supplier<Precision> precision, Consumer<String> notice, Consumer<String> unusable) {
        int gpus = NvidiaDriver.unavailable().isEmpty() ? Gpu.all().size() : 1; // without a driver, none but it tells why
        for (int ordinal = 0; ordinal < gpus; ordinal++) {
            Optional<String> reason = unavailable(ordinal);
            if (reason.isPresent()) {
                unusable.accept(reason.get());
                continue;
            }
            try {
                return Optional.of(openAvailable(ordinal, precision.get(), notice));
            } catch (DeviceException failure) {
                unusable.accept(failure.getMessage());
            }
        }
        return Optional.empty();
    }

    private static Backend openAvailable(int ordinal, Precision precision, Consumer<String> notice) {
        JcudaDevice device = new JcudaDevice(
                Gpu.all().get(ordinal), Fatbins.packaged().orElseThrow(),
                stream -> {
                    CublasLibrary.ignored().ifPresent(notice);
                    Optional<Blas> blas = Blas.find(stream, precision == Precision.TF32);
                    if (blas.isEmpty()) {
                        notice.accept(NO_BLAS);
                    }
                    return blas;
                });
        return new CudaBackend(device, precision);
    }

    /** Why this GPU cannot be used, and what to do; empty if it can. */
    public static Optional<String> unavailable(int ordinal) {
        Optional<String> driver = NvidiaDriver.unavailable();
        if (driver.isPresent()) {
            return driver;
        }
        return Fatbins.packaged()
                .map(fatbins -> unavailable(ordinal, NvidiaDriver.version(), Gpu.all(), fatbins))
                .orElse(Optional.of(Fatbins.MISSING));
    }

    /** @param version the newest CUDA version that the driver supports, such as 13000 for 13.0 */
    static Optional<String> unavailable(int ordinal, int version, List<Gpu> gpus, Fatbins fatbins) {
        if (ordinal >= gpus.size()) {
            return Optional.of("there is no cuda:%d; available: %s".formatted(ordinal,
                    gpus.stream().map(gpu -> "cuda:" + gpu.ordinal()).collect(Collectors.joining(", "))));
        }
        if (version / 1000 < fatbins.toolkit()) {
            return Optional.of("CUDA %2$d kernels need driver %1$d or newer; this driver supports CUDA %3$s".formatted(
                    fatbins.toolkit() >= 13 ? DRIVER_13 : DRIVER_12, fatbins.toolkit(), dotted(version)));
        }
        Fatbins.Match match = fatbins.match(gpus.get(ordinal));
        return match.runs() ? Optional.empty() : Optional.of(match.how());
    }

    private static String dotted(int version) {
        return version / 1000 + "." + version % 1000 / 10;
    }

    /** Whether this machine seems to contain an NVIDIA GPU, usable or not. */
    public static boolean seemsPresent() {
        if (Files.exists(Path.of("/proc/driver/nvidia/version"))) {
            return true;
        }
        Path bus = Path.of("/sys/bus/pci/devices");
        if (!Files.isDirectory(bus)) {
            return false;
        }
        try (DirectoryStream<Path> devices = Files.newDirectoryStream(bus)) {
            for (Path device : devices) {
                if (startsWith(device.resolve("vendor"), "0x10de") && startsWith(device.resolve("class"), "0x03")) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean startsWith(Path file, String prefix) throws IOException {
        return Files.isReadable(file) && Files.readString(file).startsWith(prefix);
    }

    /** The state of driver, GPUs, kernels and cuBLAS. */
    public static GpuReport report() {
        List<Line> lines = new ArrayList<>();
        Optional<Fatbins> fatbins = Fatbins.packaged();
        boolean usable = false;
        Optional<String> driver = NvidiaDriver.unavailable();
        if (driver.isPresent()) {
            lines.add(new Line("GPU", driver.get() + "; everything runs on the CPU"));
        } else {
            lines.addAll(gpus(fatbins));
            CublasLibrary.ignored().ifPresent(ignored -> lines.add(new Line("products", ignored)));
            boolean opened = false;
            for (Gpu gpu : Gpu.all()) {
                String products;
                boolean opens = false;
                try (JcudaDevice device = new JcudaDevice(gpu, Fatbins.none(), stream -> Blas.find(stream, false))) {
                    products = device.blas().orElse(NO_BLAS);
                    opens = true;
                } catch (DeviceException failure) {
                    products = "not checked: " + failure.getMessage();
                }
                if (!opened) {
                    lines.add(new Line("products", products));
                }
                opened |= opens;
                usable |= opens && unavailable(gpu.ordinal()).isEmpty();
            }
        }
        lines.add(new Line("kernels", fatbins
                .map(packaged -> "CUDA %d, for compute capability %s and newer".formatted(
                        packaged.toolkit(),
                        packaged.architectures().stream().map(Gpu::dotted).collect(Collectors.joining(", "))))
                .orElse(Fatbins.MISSING)));
        return new GpuReport(lines, seemsPresent() && !usable);
    }

    private static List<Line> gpus(Optional<Fatbins> fatbins) {
        List<Line> lines = new ArrayList<>();
        lines.add(new Line("driver", NvidiaDriver.release() + ", CUDA " + dotted(NvidiaDriver.version())));
        for (Gpu gpu : Gpu.all()) {
            String use = fatbins
                    .map(packaged -> unavailable(gpu.ordinal(), NvidiaDriver.version(), Gpu.all(), packaged)
                            .orElseGet(() -> packaged.match(gpu).how()))
                    .orElse("no kernels");
            lines.add(new Line("GPU", "cuda:%d, %s: %s".formatted(gpu.ordinal(), gpu, use)));
        }
        return lines;
    }
}
