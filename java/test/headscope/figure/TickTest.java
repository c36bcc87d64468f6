package headscope.figure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TickTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "1  | 13 | 0",
        "3  | 13 | 0 1 2",
        "12 | 13 | 0 1 2 3 4 5 6 7 8 9 10 11",
        "12 | 8  | 0 2 4 6 8 10",
        "32 | 13 | 0 4 8 12 16 20 24 28",
        "32 | 8  | 0 6 12 18 24 30",
        "28 | 13 | 0 3 6 9 12 15 18 21 24 27",
        "24 | 11 | 0 3 6 9 12 15 18 21",
        "80 | 12 | 0 10 20 30 40 50 60 70",
        "33 | 1  | 0",
        "33 | 0  | 0",
    })
    void cellsAreLabelledByMultiplesOfARoundNumber(int count, int limit, String expected) {
        assertEquals(expected, labels(new Axis.Numbered("", count, 0).ticks(limit)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "12 | 12 | 1 2 3 4 5 6 7 8 9 10 11 12",
        "32 | 13 | 4 8 12 16 20 24 28 32",
        "33 | 1  | 1",
    })
    void cellsCanBeNumberedFromOne(int count, int limit, String expected) {
        List<Tick> ticks = new Axis.Numbered("", count, 1).ticks(limit);
        assertEquals(expected, labels(ticks));
        ticks.forEach(tick -> assertEquals(tick.value() + 1, Double.parseDouble(tick.label())));
    }

    /** Such as layers, also on a wide axis; one layer alone lies in the middle of half a layer on either side. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "0    | 3   | 9  | 0 1 2 3",
        "0    | 11  | 24 | 0 1 2 3 4 5 6 7 8 9 10 11",
        "0    | 11  | 8  | 0 2 4 6 8 10",
        "-0.5 | 0.5 | 9  | 0",
    })
    void wholeNumbersHaveNoTicksBetween(double min, double max, int limit, String expected) {
        assertEquals(expected, labels(new Axis.Numbers("", new Range(min, max), true).ticks(limit)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "0.004   | 9 | 0.0000 0.0005 0.0010 0.0015 0.0020 0.0025 0.0030 0.0035 0.0040+",
        "0.004   | 6 | 0.0000 0.0010 0.0020 0.0030 0.0040+",
        "2       | 6 | 0.0000 0.5000 1.0000 1.5000 2.0000+",
        "0.00033 | 4 | 0.0000 0.0001 0.0002 0.00033+",
    })
    void theLastLabelOfAnOpenBarHasAPlus(double top, int limit, String expected) {
        assertEquals(expected, labels(
                new ColorBar("", new Range(0, top), Colormap.viridis(), 4, true).ticks(limit)));
    }

    @ParameterizedTest
    @CsvSource({"0.27, 0.3", "0.3, 0.3", "0.31, 0.4", "0.0101, 0.015", "1, 1", "17, 20", "0, 1", "3e-9, 3e-9"})
    void barsEndAtARoundNumber(double largest, double end) {
        assertEquals(new Range(0, end), Range.upTo(largest));
        assertEquals(new Range(0, end), Range.upTo((float) largest));
    }

    @ParameterizedTest
    @CsvSource({"-6.4, -1.3, -7, -1", "0, 1, 0, 1", "0.2, 0.2, -0.3, 0.7", "12.1, 98.6, 0, 100"})
    void axesEndAtRoundNumbers(double low, double high, double min, double max) {
        assertEquals(new Range(min, max), Range.around(low, high));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "0    | 0.95    | 6 | 0.0 0.2 0.4 0.6 0.8",
        "0    | 1       | 6 | 0.0 0.2 0.4 0.6 0.8 1.0",
        "0    | 1       | 3 | 0.0 0.5 1.0",
        "0    | 0.004   | 6 | 0.000 0.001 0.002 0.003 0.004",
        "0    | 3       | 6 | 0 1 2 3",
        "0    | 250     | 6 | 0 50 100 150 200 250",
        "-1.5 | 1.5     | 4 | -1 0 1",
        "0    | 2.1e-9  | 6 | 0 5e-10 1e-9 1.5e-9 2e-9",
        "0    | 4.2e7   | 6 | 0 1e7 2e7 3e7 4e7",
        "0    | 0.69999999 | 8 | 0.0 0.1 0.2 0.3 0.4 0.5 0.6 0.7",
    })
    void numbersAreRound(double min, double max, int limit, String expected) {
        assertEquals(expected, labels(new ColorBar("", new Range(min, max), Colormap.rocket()).ticks(limit)));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "1      | 1000 | 9 | 1 10 100 1000",
        "0.001  | 10   | 9 | 0.001 0.01 0.1 1 10",
        "0.5    | 200  | 9 | 1 10 100",
        "0.001  | 1e6  | 4 | 0.001 1 1000 1e6",
        "1e-7   | 1e-5 | 9 | 1e-7 1e-6 0.00001",
        "1      | 1000 | 0 | 1",
    })
    void logarithmicAxesAreLabelledByPowersOfTen(double min, double max, int limit, String expected) {
        Axis.Logarithmic axis = new Axis.Logarithmic("", new Range(min, max));
        assertEquals(expected, labels(axis.ticks(limit)));
        assertEquals(0.5, axis.fraction(Math.sqrt(min * max)), 1e-12);
    }

    @Test
    void numbersRespectTheLimitAndTheRange() {
        for (double max = 1e-12; max < 1e12; max *= 1.7) {
            Range range = new Range(-max / 3, max);
            for (int limit = 2; limit <= 12; limit++) {
                List<Tick> ticks = Tick.ofNumbers(range, limit);
                assertTrue(!ticks.isEmpty() && ticks.size() <= limit, range + " " + ticks);
                for (Tick tick : ticks) {
                    assertEquals(0.5, range.fraction(tick.value()), 0.5 + 1e-6, range + " " + ticks);
                    assertEquals(tick.value(), Double.parseDouble(tick.label()), 1e-9 * max);
                }
            }
        }
    }

    private static String labels(List<Tick> ticks) {
        return String.join(" ", ticks.stream().map(Tick::label).toList());
    }

    @Test
    void equalValuesAreTheMiddleOfARange() {
        assertEquals(new Range(2.5, 3.5), Range.around(3, 3));
        Range huge = Range.around(-3.29e23, -3.29e23);
        assertEquals(0.5, huge.fraction(-3.29e23), 1e-9);
    }
}
