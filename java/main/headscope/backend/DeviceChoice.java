package headscope.backend;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The device to compute on, and how.
 *
 * @param device    one of {@link #NAMES}, or "cpu:1" for one thread on the CPU
 * @param precision of matrix products on a GPU; empty for the checkpoint's own. The CPU computes in F32: BF16 or F16 there means
 *                  that matrices of weights which are stored in this type stay in it in memory, with the same results
 * @param check     whether the results of every operation are checked for infinities and NaN, which is slow
 */
public record DeviceChoice(String device, Optional<Precision> precision, boolean check) {
    /** Names on the command line; N is an ordinal from 0. */
    public static final List<String> NAMES = List.of("auto", "cpu", "cuda", "cuda:N");
    private static final String ONE_THREAD = "cpu:1";
    private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,4}))?");

    /** @throws IllegalArgumentException if the name is unknown or the device does not support the precision */
    public DeviceChoice {
        if (!cpu(device) && !device.equals("auto") && !CUDA.matcher(device).matches()) {
            throw new IllegalArgumentException(
                    "unknown device \"%s\"; known are %s".formatted(device, String.join(", ", NAMES)));
        }
        if (cpu(device) && precision.equals(Optional.of(Precision.TF32))) {
            throw new IllegalArgumentException("the CPU computes in f32; tf32 needs --device cuda");
        }
    }

    /**
     * The same choice for work without a checkpoint.
     *
     * @throws IllegalArgumentException if the precision is that of weights on the CPU
     */
    public DeviceChoice withoutWeights() {
        if (cpu(device) && precision.orElse(Precision.F32) != Precision.F32) {
            throw new IllegalArgumentException(("the CPU computes in f32, and without a model there are no weights to keep in %s;"
                    + " use --dtype f32, or --device cuda").formatted(precision.get().name().toLowerCase(Locale.ROOT)));
        }
        return this;
    }

    /**
     * Called if auto finds no GPU: the CPU takes its place only for its own precision.
     *
     * @param missing why there is no GPU, and what to do
     * @throws IllegalArgumentException if another precision is chosen
     */
    void requireF32(String missing) {
        Precision chosen = precision.orElse(Precision.F32);
        if (chosen != Precision.F32) {
            throw new IllegalArgumentException("--dtype %s needs a GPU%s: %s".formatted(
                    chosen.name().toLowerCase(Locale.ROOT), chosen == Precision.TF32 ? "" : ", or --device cpu", missing));
        }
    }

    private static boolean cpu(String device) {
        return device.equals("cpu") || device.equals(ONE_THREAD);
    }

    /** F32 without checks. */
    public static DeviceChoice of(String device) {
        return new DeviceChoice(device, Optional.of(Precision.F32), false);
    }

    /** Number of CPU threads, if limited. */
    Optional<Integer> threads() {
        return device.equals(ONE_THREAD) ? Optional.of(1) : Optional.empty();
    }

    /** Ordinal of the GPU, if the name is that of a GPU. */
    Optional<Integer> gpu() {
        Matcher matcher = CUDA.matcher(device);
        return matcher.matches()
                ? Optional.of(matcher.group(1) == null ? 0 : Integer.parseInt(matcher.group(1)))
                : Optional.empty();
    }
}
