package headscope.figure;

import headscope.result.HeadMap;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** A top for a colour scale that a few large values go beyond: a number of one digit. */
public final class RoundTop {
    /** Of the cells that have a value. */
    private static final double BEYOND = 0.01;

    /** Where nothing is above 0. */
    private static final double OF_NOTHING = 1;

    private RoundTop() {}

    /** The largest number of one digit that at least one cell in a hundred of all maps, and one at all, reaches. */
    public static double of(List<HeadMap> maps) {
        double[] rising = maps.stream()
                .map(HeadMap::values)
                .flatMapToDouble(values -> IntStream.range(0, values.length).mapToDouble(i -> values[i]))
                .filter(value -> !Double.isNaN(value))
                .sorted()
                .toArray();
        int beyond = Math.max(1, (int) Math.ceil(BEYOND * rising.length));
        return rising.length == 0 ? OF_NOTHING : oneDigit(rising[rising.length - beyond]);
    }

    private static double oneDigit(double value) {
        if (value <= 0) {
            return OF_NOTHING;
        }
        int exponent = (int) Math.floor(Math.log10(value));
        return DoubleStream.iterate(9, digit -> digit >= 1, digit -> digit - 1)
                .map(digit -> Double.parseDouble((int) digit + "e" + exponent))
                .filter(round -> round <= value)
                .findFirst()
                .orElse(Double.parseDouble("9e" + (exponent - 1)));
    }
}
