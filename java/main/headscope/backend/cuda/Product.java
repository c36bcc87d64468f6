package headscope.backend.cuda;

import headscope.tensor.Tensor;

/**
 * destination = a b, or destination += a b, where a or b, but not both, may be used transposed.
 *
 * @param destination [m, n], fp32, every element is written
 * @param adds        whether the product is added; only of a b'
 * @param a           [m, k], or [k, m] transposed
 * @param b           [k, n], or [n, k] transposed; of a's type: F32, F16 or BF16
 */
record Product(Tensor destination, boolean adds, Tensor a, boolean aTransposed, Tensor b, boolean bTransposed) {
    Product(Tensor destination, Tensor a, boolean aTransposed, Tensor b, boolean bTransposed) {
        this(destination, false, a, aTransposed, b, bTransposed);
    }

    int m() {
        return destination.intSize(0);
    }

    int n() {
        return destination.intSize(1);
    }

    int k() {
        return a.intSize(aTransposed ? 0 : 1);
    }

    @Override
    public String toString() {
        return "%s %s %s%s %s%s".formatted(destination, adds ? "+=" : "=", a, aTransposed ? "'" : "", b, bTransposed ? "'" : "");
    }
}
