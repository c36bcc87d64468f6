package headscope.backend;

import headscope.Seed;
import java.util.Arrays;
import java.util.Random;

/** Kinds of random inputs, easy and hard. */
enum Inputs {
    NORMAL {
        @Override
        float next(Random random, int row, int column) {
            return (float) random.nextGaussian();
        }
    },
    /** Scores of several hundred: all probabilities of a row but one are 0. */
    LARGE {
        @Override
        float next(Random random, int row, int column) {
            return 10 * (float) random.nextGaussian();
        }
    },
    /** Many equal scores. */
    TIES {
        @Override
        float next(Random random, int row, int column) {
            return random.nextInt(3) - 1;
        }
    },
    CONSTANT {
        @Override
        float next(Random random, int row, int column) {
            return 0.75f;
        }
    },
    ONE_HOT {
        @Override
        float next(Random random, int row, int column) {
            return row % 7 == column ? 8 : 0;
        }
    },
    /** One value in fifty is 20 times the others. */
    OUTLIERS {
        @Override
        float next(Random random, int row, int column) {
            return (random.nextInt(50) == 0 ? 20 : 1) * (float) random.nextGaussian();
        }
    },
    TINY {
        @Override
        float next(Random random, int row, int column) {
            return 1e-4f * (float) random.nextGaussian();
        }
    };

    abstract float next(Random random, int row, int column);

    /** [size], with large and small arguments among the first, where activations saturate or are clamped. */
    float[] withEnds(String purpose, int size) {
        float[] x = values(Seed.random(purpose, size), 1, size);
        float[] ends = {0, -0f, 7, -7, 7.5f, -7.5f, 1e-30f, -1e-30f, 5, -5, 9.5f, -9.5f, 80, -80, 1000, -1000};
        for (int i = 0; i < ends.length && 3 * i + 1 < size; i++) {
            x[3 * i + 1] = ends[i];
        }
        return x;
    }

    /** The rows of several matrices, side by side. */
    static float[] sideBySide(int rows, float[]... parts) {
        int width = Arrays.stream(parts).mapToInt(part -> part.length / rows).sum();
        float[] all = new float[rows * width];
        int first = 0;
        for (float[] part : parts) {
            int columns = part.length / rows;
            for (int row = 0; row < rows; row++) {
                System.arraycopy(part, row * columns, all, row * width + first, columns);
            }
            first += columns;
        }
        return all;
    }

    /** [rows, columns] */
    float[] values(Random random, int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = next(random, i / columns, i % columns);
        }
        return values;
    }
}
