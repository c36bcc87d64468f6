package headscope.backend;

import static headscope.backend.Agreement.same;
import static headscope.backend.Parity.compare;
import static headscope.backend.Parity.compareBits;
import static headscope.backend.Parity.expected;

import headscope.Seed;
import headscope.Tolerance;
import headscope.backend.Parity.Operation;
import headscope.backend.cpu.CpuBackend;
import headscope.tensor.DType;
import headscope.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Operations on rows and elements, on every backend and on {@link Reference}. */
class BackendParityTest {
    private static float[] linear(
            TensorScope on, float[] x, float[] weight, Optional<float[]> bias, int tokens, int in, int out) {
        Tensor destination = on.unwritten(tokens, out);
        on.backend.linear(destination, on.tensor(x, tokens, in), on.tensor(weight, out, in),
                bias.map(values -> on.tensor(values, out)));
        return on.backend.download(destination);
    }

    /** Each of the three lengths takes every size; the other two are small or odd. */
    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void linear(int size, Inputs inputs) {
        for (int[] shape : new int[][] {{size, 33, 17}, {3, size, 65}, {1, 65, size}}) {
            int tokens = shape[0];
            int in = shape[1];
            int out = shape[2];
            Random random = Seed.random("linear", tokens, in, out);
            float[] x = inputs.values(random, tokens, in);
            float[] weight = inputs.values(random, out, in);
            Optional<float[]> some = Optional.of(inputs.values(random, 1, out));
            for (Optional<float[]> bias : List.of(some, Optional.<float[]>empty())) {
                float[] magnitude = expected(on -> linear(
                        on, Magnitude.of(x), Magnitude.of(weight), bias.map(Magnitude::of), tokens, in, out));
                compare("linear " + Arrays.toString(shape), on -> linear(on, x, weight, bias, tokens, in, out),
                        i -> Tolerance.sum(in + 1, magnitude[i]));
                float[] before = inputs.values(random, tokens, out);
                compare("linearAdd " + Arrays.toString(shape), on -> {
                    Tensor sum = on.tensor(before, tokens, out);
                    on.backend.linearAdd(sum, on.tensor(x, tokens, in), on.tensor(weight, out, in),
                            bias.map(values -> on.tensor(values, out)), on.unwritten(tokens, out));
                    return on.backend.download(sum);
                }, i -> Tolerance.sum(in + 2, magnitude[i] + Math.abs(before[i])));
            }
        }
    }

    /** Bits of a product depend on its shape only. Either side is divided among workers, or none. */
    @ParameterizedTest
    @ValueSource(strings = {"130 90 65", "1030 65 700", "65 192 1030", "1 768 3000"})
    void bitsOfLinearDoNotDependOnWorkers(String shape) {
        int[] sizes = Stream.of(shape.split(" ")).mapToInt(Integer::parseInt).toArray();
        Random random = Seed.random("bits", sizes);
        float[] x = Inputs.NORMAL.values(random, sizes[0], sizes[1]);
        float[] weight = Inputs.NORMAL.values(random, sizes[2], sizes[1]);
        float[] expected = ofWorkers(1, x, weight, sizes);
        for (int workers = 2; workers <= 3; workers++) {
            same(workers + " workers", expected, ofWorkers(workers, x, weight, sizes));
        }
    }

    private static float[] ofWorkers(int workers, float[] x, float[] weight, int[] sizes) {
        try (Backend backend = new CheckedBackend(new CpuBackend(workers)); TensorScope on = new TensorScope(backend)) {
            return linear(on, x, weight, Optional.empty(), sizes[0], sizes[1], sizes[2]);
        }
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void layerNorm(int width, Inputs inputs) {
        Random random = Seed.random("layerNorm", width);
        int rows = 5;
        float epsilon = 1e-5f;
        float[] x = inputs.values(random, rows, width);
        float[] weight = Inputs.NORMAL.values(random, 1, width);
        float[] bias = Inputs.NORMAL.values(random, 1, width);
        // The error of the mean is that of a sum of the largest inputs; the division by the deviation amplifies it.
        IntToDoubleFunction tolerance = i -> {
            double largest = 0;
            double mean = 0;
            for (int j = 0; j < width; j++) {
                largest = Math.max(largest, Math.abs(x[i / width * width + j]));
                mean += x[i / width * width + j] / (double) width;
            }
            double variance = 0;
            for (int j = 0; j < width; j++) {
                variance += Math.pow(x[i / width * width + j] - mean, 2) / width;
            }
            double normal = 2 * largest / Math.sqrt(variance + epsilon);
            return Tolerance.sum(width, normal * Math.abs(weight[i % width]) + Math.abs(bias[i % width]));
        };
        compare("layerNorm of width " + width, on -> {
            Tensor destination = on.unwritten(rows, width);
            on.backend.layerNorm(destination, on.tensor(x, rows, width), on.tensor(weight, width),
                    on.tensor(bias, width), epsilon);
            return on.backend.download(destination);
        }, tolerance);
        compare("layerNorm in place", on -> {
            Tensor place = on.tensor(x, rows, width);
            on.backend.layerNorm(place, place, on.tensor(weight, width), on.tensor(bias, width), epsilon);
            return on.backend.download(place);
        }, tolerance);
    }

    /** One group, and several groups as in norms of heads. */
    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void rmsNorm(int width, Inputs inputs) {
        Random random = Seed.random("rmsNorm", width);
        float[] weight = Inputs.NORMAL.values(random, 1, width);
        for (int groups : new int[] {1, 3}) {
            float[] x = inputs.values(random, 4, groups * width);
            Operation operation = on -> {
                Tensor destination = on.unwritten(4, groups * width);
                on.backend.rmsNorm(destination, on.tensor(x, 4, groups * width), on.tensor(weight, width), 1e-6f);
                return on.backend.download(destination);
            };
            float[] expected = expected(operation);
            IntToDoubleFunction tolerance = i -> Tolerance.sum(width, Math.abs(expected[i]));
            compare("rmsNorm of width " + width, operation, tolerance);
            compare("rmsNorm in place", on -> {
                Tensor place = on.tensor(x, 4, groups * width);
                on.backend.rmsNorm(place, place, on.tensor(weight, width), 1e-6f);
                return on.backend.download(place);
            }, tolerance);
        }
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void activations(int size, Inputs inputs) {
        float[] x = inputs.withEnds("arguments", size);
        int rows = 3;
        float[] gateUp = Inputs.sideBySide(rows, inputs.withEnds("gates", rows * size),
                Inputs.OUTLIERS.values(Seed.random("up", size), 1, rows * size));
        for (Activation f : Activation.values()) {
            compare(f + " of " + size, on -> {
                Tensor place = on.tensor(x, size);
                on.backend.activate(place, place, f);
                return on.backend.download(place);
            }, i -> Tolerance.formula(Math.abs(x[i])));
            compare("gate by " + f, on -> {
                Tensor product = on.unwritten(rows, size);
                on.backend.gate(product, on.tensor(gateUp, rows, 2 * size), f);
                return on.backend.download(product);
            }, i -> {
                int gate = i / size * 2 * size + i % size;
                return Tolerance.formula(Math.abs(gateUp[gate]) * (Math.abs(gateUp[gate + size]) + 1));
            });
        }
    }

    /** One, some and all experts; the first of equal logits wins. */
    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void route(int experts, Inputs inputs) {
        float[] logits = inputs.values(Seed.random("route", experts), 5, experts);
        for (int chosen : new int[] {1, (experts + 3) / 4, experts}) {
            Operation operation = on -> {
                Tensor place = on.tensor(logits, 5, experts);
                on.backend.route(place, chosen);
                return on.backend.download(place);
            };
            float[] expected = expected(operation);
            compare("route to %d of %d".formatted(chosen, experts), operation,
                    i -> expected[i] == 0 ? 0 : Tolerance.share(chosen, expected[i]));
        }
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void addShare(int width, Inputs inputs) {
        Random random = Seed.random("addShare", width);
        float[] x = inputs.values(random, 4, width);
        float[] y = inputs.values(random, 4, width);
        float[] shares = {0.5f, 0.5f, 0, 1, 0.3f, 0.7f, 1, 0};
        for (int column = 0; column < 2; column++) {
            int expert = column;
            compare("addShare", on -> {
                Tensor place = on.tensor(x, 4, width);
                on.backend.addShare(place, on.tensor(y, 4, width), on.tensor(shares, 4, 2), expert);
                return on.backend.download(place);
            }, i -> shares[i / width * 2 + expert] == 0 ? 0 : Tolerance.formula(Math.abs(x[i]) + Math.abs(y[i])));
        }
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void softCap(int size, Inputs inputs) {
        float[] x = inputs.withEnds("arguments", size);
        for (float cap : new float[] {0.5f, 30, 50}) {
            compare("softCap " + cap, on -> {
                Tensor place = on.tensor(x, size);
                on.backend.softCap(place, cap);
                return on.backend.download(place);
            }, i -> Tolerance.formula(Math.min(cap, Math.abs(x[i]))));
        }
    }

    /** One rounding gives the same result in fp32 and from double. */
    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void sumsAndProductsOfElementsAreExact(int size, Inputs inputs) {
        Random random = Seed.random("elements", size);
        float[] x = inputs.values(random, 3, size);
        float[] y = Inputs.OUTLIERS.values(random, 3, size);
        compareBits("add", on -> {
            Tensor place = on.tensor(x, 3, size);
            on.backend.add(place, on.tensor(y, 3, size));
            return on.backend.download(place);
        });
        compareBits("addRow", on -> {
            Tensor place = on.tensor(x, 3, size);
            on.backend.addRow(place, on.tensor(Arrays.copyOf(y, size), size));
            return on.backend.download(place);
        });
        compareBits("scale", on -> {
            Tensor place = on.tensor(x, 3, size);
            on.backend.scale(place, 0.3f);
            return on.backend.download(place);
        });
        int[] ids = random.ints(size, 0, 3).toArray();
        compareBits("embed", on -> {
            Tensor destination = on.unwritten(ids.length, size);
            on.backend.embed(destination, on.tensor(x, 3, size), ids);
            return on.backend.download(destination);
        });
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void words(int words, Inputs inputs) {
        Random random = Seed.random("words", words);
        float[] logits = inputs.values(random, 5, words);
        double[] marks = random.doubles(5).toArray();
        compareBits("argmax", on -> floats(on.backend.argmax(on.tensor(logits, 5, words))));
        for (double topP : new double[] {1, 0.8, 1e-9}) {
            compareBits("draw", on -> floats(on.backend.draw(on.tensor(logits, 5, words), 0.7, topP, marks)));
        }
    }

    private static float[] floats(int[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            floats[i] = values[i];
        }
        return floats;
    }

    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void factors(int size, Inputs inputs) {
        Random random = Seed.random("factors", size);
        float[] x = inputs.values(random, 3, 2 * size);
        float[] y = Inputs.OUTLIERS.values(random, 3, 2 * size);
        compareBits("multiply", on -> {
            Tensor place = on.tensor(x, 3, 2 * size);
            on.backend.multiply(place, on.tensor(y, 3, 2 * size));
            return on.backend.download(place);
        });
        for (int heads : new int[] {1, 2, size, 2 * size}) {
            for (RowRanges ranges : List.of(
                    RowRanges.all(3), new RowRanges(new int[] {0, 1, 2}, new int[] {1, 1, 3}),
                    new RowRanges(new int[] {1, 2}, new int[] {2, 2}))) {
                compareBits("scaleHeads of %d heads, %s".formatted(heads, ranges), on -> {
                    Tensor place = on.tensor(x, 3, 2 * size);
                    on.backend.scaleHeads(
                            place, on.tensor(Arrays.copyOf(y, ranges.count() * heads), ranges.count(), heads), ranges);
                    return on.backend.download(place);
                });
            }
        }
    }

    /** Round trips: rounding to nearest, ties to even, the largest and smallest values, infinities and NaN. */
    @ParameterizedTest
    @MethodSource("headscope.backend.Parity#sizes")
    void convert(int size, Inputs inputs) {
        float[] x = inputs.values(Seed.random("convert", size), 1, size);
        float[] ends = {
            1 + 0x1p-8f, 1 + 0x3p-8f, 1 + 0x1p-11f, 1 + 0x3p-11f, 0x1.01p0f + 0x1p-20f, 65519, 65520, 0x1.fep127f,
            Float.MAX_VALUE, 6e-8f, 2e-8f, 1e-40f, Float.MIN_VALUE, -0f, Float.NEGATIVE_INFINITY, Float.NaN
        };
        System.arraycopy(ends, 0, x, 0, Math.min(size, ends.length));
        for (DType first : new DType[] {DType.F32, DType.F16, DType.BF16}) {
            for (DType second : new DType[] {DType.F32, DType.F16, DType.BF16}) {
                compareBits("F32 to %s to %s and back".formatted(first, second), on -> {
                    Tensor one = on.allocate(first, size);
                    Tensor other = on.allocate(second, size);
                    Tensor back = on.unwritten(size);
                    on.backend.convert(one, on.tensor(x, size));
                    on.backend.convert(other, one);
                    on.backend.convert(back, other);
                    return on.backend.download(back);
                });
            }
        }
    }

    /** Sizes at which backends use several workers. */
    @ParameterizedTest
    @EnumSource(names = {"NORMAL", "OUTLIERS"})
    void largeSizes(Inputs inputs) {
        int rows = 331;
        int width = 257;
        Random random = Seed.random("large", inputs);
        float[] x = inputs.values(random, rows, width);
        float[] weight = inputs.values(random, 1, width);
        Operation norm = on -> {
            Tensor destination = on.unwritten(rows, width);
            on.backend.rmsNorm(destination, on.tensor(x, rows, width), on.tensor(weight, width), 1e-6f);
            return on.backend.download(destination);
        };
        float[] expected = expected(norm);
        compare("rmsNorm", norm, i -> Tolerance.sum(width, Math.abs(expected[i])));
        compare("SILU", on -> {
            Tensor place = on.tensor(x, rows, width);
            on.backend.activate(place, place, Activation.SILU);
            return on.backend.download(place);
        }, i -> Tolerance.formula(Math.abs(x[i])));
        compareBits("add", on -> {
            Tensor place = on.tensor(x, rows, width);
            on.backend.add(place, on.tensor(x, rows, width));
            return on.backend.download(place);
        });
        float[] square = inputs.values(random, width, width);
        float[] magnitude = expected(on -> linear(
                on, Magnitude.of(x), Magnitude.of(square), Optional.empty(), rows, width, width));
        compare("linear", on -> linear(on, x, square, Optional.empty(), rows, width, width),
                i -> Tolerance.sum(width, magnitude[i]));
    }
}
