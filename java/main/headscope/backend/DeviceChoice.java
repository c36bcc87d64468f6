package headscope.backend;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where to compute, and how.
 *
 * @param device    one of {@link #NAMES}, or "cpu:1" for the CPU with one thread
 * @param precision of products on a GPU; a CPU has F32 alone
 * @param check     after every operation, that its results are finite: slow
 */
public record DeviceChoice(String device, Precision precision, boolean check) {
    /** N counts from 0. */
    public static final List<String> NAMES = List.of("auto", "cpu", "cuda", "cuda:N");
    private static final String ONE_THREAD = "cpu:1";
    private static final Pattern CUDA = Pattern.compile("cuda(?::(\\d{1,4}))?");

    /** @throws IllegalArgumentException if there is no such device, or not of this precision */
    public DeviceChoice {
        boolean cpu = device.equals("cpu") || device.equals(ONE_THREAD);
        if (!cpu && !device.equals("auto") && !CUDA.matcher(device).matches()) {
            throw new IllegalArgumentException(
                    "no device is called \"%s\"; there are %s".formatted(device, String.join(", ", NAMES)));
        }
        if (cpu && precision != Precision.F32) {
            throw new IllegalArgumentException("the CPU computes in f32; %s needs --device cuda"
                    .formatted(precision.name().toLowerCase(Locale.ROOT)));
        }
    }

    /** As published numbers are computed. */
    public static DeviceChoice of(String device) {
        return new DeviceChoice(device, Precision.F32, false);
    }

    /** Of the CPU, where not all of them. */
    Optional<Integer> threads() {
        return device.equals(ONE_THREAD) ? Optional.of(1) : Optional.empty();
    }

    /** Which GPU, where it is one by name. */
    Optional<Integer> gpu() {
        Matcher matcher = CUDA.matcher(device);
        return matcher.matches()
                ? Optional.of(matcher.group(1) == null ? 0 : Integer.parseInt(matcher.group(1)))
                : Optional.empty();
    }
}
