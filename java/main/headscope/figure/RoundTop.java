package headscope.figure;

import headscope.result.HeadMap;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** The upper end of an open colour bar: a number of one digit that a few large values exceed. */
public final class RoundTop {
    /** Fraction of the cells that reach the top. */
    private static final double FRACTION = 0.01;

    /** The top if no value is above 0. */
    private static final double DEFAULT = 1;

    private RoundTop() {}

    /** The largest number of one digit that at least 1 % of the cells of all maps reach, and at least one cell. */
    public static double of(List<HeadMap> maps) {
        double[] ascending = maps.stream()
                .map(HeadMap::values)
                .flatMapToDouble(values -> IntStream.range(0, values.length).mapToDouble(i -> values[i]))
                .filter(value -> !Double.isNaN(value))
                .sorted()
                .toArray();
        int count = Math.max(1, (int) Math.ceil(FRACTION * ascending.length));
        return ascending.length == 0 ? DEFAULT : oneDigit(ascending[ascending.length - count]);
    }

    private static double oneDigit(double value) {
        if (value <= 0) {
            return DEFAULT;
        }
        int exponent = (int) Math.floor(Math.log10(value));
        return DoubleStream.iterate(9, digit -> digit >= 1, digit -> digit - 1)
                .map(digit -> Double.parseDouble((int) digit + "e" + exponent))
                .filter(round -> round <= value)
                .findFirst()
                .orElse(Double.parseDouble("9e" + (exponent - 1)));
    }
}
