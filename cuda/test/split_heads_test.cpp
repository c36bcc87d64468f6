// Splitting of joined projections into heads, and its gradient, against plain loops in double.
#include "check.h"

#include <algorithm>
#include <array>
#include <set>

namespace {

const double EPS = 6e-8; // half an ulp of a float near 1
const float EPSILON = 1e-5f;

enum class Norm { NONE, EACH_HEAD, ALL_HEADS };

struct Sizes {
    int rows;
    int heads;
    int kvHeads;
    int headDim;
    int r;
    Norm norm;

    int all() const {
        return heads + 2 * kvHeads;
    }
    int width() const {
        return all() * headDim;
    }
    int groups(int size, const char* ofBlock) const {
        return norm == Norm::ALL_HEADS ? 1 : static_cast<int>(pieces(size, constant(ofBlock)));
    }
};

/// Inputs of both kernels. Angles are not normalised, as in some tables.
struct Inputs {
    Sizes sizes;
    std::vector<float> joined, queryWeight, keyWeight, cosine, sine;

    Inputs(std::mt19937_64& random, Sizes sizes)
        : sizes(sizes), joined(random_floats(random, static_cast<int64_t>(sizes.rows) * sizes.width())),
          queryWeight(weights(random, sizes.heads)), keyWeight(weights(random, sizes.kvHeads)),
          cosine(random_floats(random, sizes.rows * sizes.r)), sine(random_floats(random, sizes.rows * sizes.r)) {}

    std::vector<float> weights(std::mt19937_64& random, int heads) const {
        int count = sizes.norm == Norm::ALL_HEADS ? heads : 1;
        return sizes.norm == Norm::NONE ? std::vector<float>() : random_floats(random, count * sizes.headDim);
    }

    static const float* or_null(const std::vector<float>& values) {
        return values.empty() ? nullptr : values.data();
    }

    bool normed(int head) const {
        return sizes.norm != Norm::NONE && head < sizes.heads + sizes.kvHeads;
    }

    double weight(int head, int column) const {
        if (!normed(head)) {
            return 1;
        }
        const std::vector<float>& weights = head < sizes.heads ? queryWeight : keyWeight;
        int index = head < sizes.heads ? head : head - sizes.heads;
        return weights[sizes.norm == Norm::ALL_HEADS ? index * sizes.headDim + column : column];
    }

    double x(int row, int head, int column) const {
        return joined[static_cast<int64_t>(row) * sizes.width() + head * sizes.headDim + column];
    }

    /// First head and end of those that are normalised together with this one.
    std::pair<int, int> together(int head) const {
        if (sizes.norm != Norm::ALL_HEADS) {
            return {head, head + 1};
        }
        return head < sizes.heads ? std::pair(0, sizes.heads) : std::pair(sizes.heads, sizes.heads + sizes.kvHeads);
    }

    int count(int head) const {
        auto [first, end] = together(head);
        return (end - first) * sizes.headDim;
    }

    double deviation(int row, int head) const {
        if (!normed(head)) {
            return 1;
        }
        auto [first, end] = together(head);
        double squares = 0;
        for (int other = first; other < end; other++) {
            for (int column = 0; column < sizes.headDim; column++) {
                squares += x(row, other, column) * x(row, other, column);
            }
        }
        return std::sqrt(squares / count(head) + EPSILON);
    }

    bool turned(int head, int column) const {
        return head < sizes.heads + sizes.kvHeads && column < 2 * sizes.r;
    }

    /// The rotation of values(column) by the angles, or for direction = -1 back.
    template <class Values>
    double rotated(int row, int head, int column, double direction, Values values) const {
        if (!turned(head, column)) {
            return values(column);
        }
        int pair = column % sizes.r;
        double c = cosine[row * sizes.r + pair];
        double s = direction * sine[row * sizes.r + pair];
        return column < sizes.r ? values(column) * c - values(column + sizes.r) * s
                                : values(column) * c + values(column - sizes.r) * s;
    }
};

template <class T>
struct Outputs {
    std::vector<T> q, k, v;
};

/// Of the tensors q, k, v, joined, queryWeight, keyWeight, cosine and sine, number `displaced` has no aligned quads.
template <class T>
Outputs<T> split(const std::string& type, const Inputs& in, const std::vector<int>& places, int keyRows, T fill,
                 int displaced = -1) {
    const Sizes& sizes = in.sizes;
    int tensor = 0;
    auto placed = [&]<class E>(const std::vector<E>& values) { return Displaced<E>(values, tensor++ == displaced ? 1 : 0); };
    std::vector<T> keys(static_cast<std::size_t>(keyRows) * sizes.kvHeads * sizes.headDim, fill);
    auto q = placed(std::vector<T>(static_cast<std::size_t>(sizes.rows) * sizes.heads * sizes.headDim, fill));
    auto k = placed(keys);
    auto v = placed(keys);
    auto joined = placed(in.joined);
    auto queryWeight = placed(in.queryWeight);
    auto keyWeight = placed(in.keyWeight);
    auto cosine = placed(in.cosine);
    auto sine = placed(in.sine);
    int groups = sizes.groups(sizes.width(), "split_heads_columns");
    launch(("split_heads_" + type).c_str(), static_cast<int64_t>(sizes.rows) * groups, 1, constant("split_heads_threads"),
           q.data(), k.data(), v.data(), joined.data(), queryWeight.data(), keyWeight.data(),
           EPSILON, sizes.norm == Norm::ALL_HEADS ? 1 : 0, cosine.data(), sine.data(),
           places.empty() ? nullptr : places.data(), sizes.heads, sizes.kvHeads, sizes.headDim, sizes.r, groups);
    return {q.values(), k.values(), v.values()};
}

std::vector<uint16_t> converted(const std::string& type, const std::vector<float>& source) {
    std::vector<uint16_t> rounded(source.size());
    int threads = constant("convert_threads");
    launch(("convert_" + type + "_f32").c_str(), pieces(source.size(), threads), 1, threads, rounded.data(), source.data(),
           static_cast<int64_t>(source.size()));
    return rounded;
}

void check_outputs(const Inputs& in, const Outputs<float>& out) {
    const Sizes& sizes = in.sizes;
    for (int row = 0; row < sizes.rows; row++) {
        for (int i = 0; i < sizes.all(); i++) {
            double deviation = in.deviation(row, i);
            auto normal = [&](int column) { return in.x(row, i, column) / deviation * in.weight(i, column); };
            bool query = i < sizes.heads;
            bool value = i >= sizes.heads + sizes.kvHeads;
            int heads = query ? sizes.heads : sizes.kvHeads;
            const std::vector<float>& part = query ? out.q : value ? out.v : out.k;
            int index = query ? i : i - sizes.heads - (value ? sizes.kvHeads : 0);
            for (int column = 0; column < sizes.headDim; column++) {
                double expected = in.rotated(row, i, column, 1, normal);
                double size = std::abs(normal(column)) + EPS;
                if (in.turned(i, column)) {
                    size = 20 * (std::abs(normal(column % sizes.r)) + std::abs(normal(column % sizes.r + sizes.r))) + EPS;
                }
                double error = !in.normed(i) && !in.turned(i, column) ? 0 : EPS * (in.count(i) + 8) * size;
                float found = part[(static_cast<std::size_t>(row) * heads + index) * sizes.headDim + column];
                CHECK(std::abs(found - expected) <= error, "row %d, head %d, element %d is %.9g and not %.9g", row, i, column,
                      found, expected);
            }
        }
    }
}

/// With rows of k and v in order, and scattered over a pool whose other rows keep their values.
void check_forward(const Inputs& in) {
    const Sizes& sizes = in.sizes;
    Outputs<float> out = split<float>("f32", in, {}, sizes.rows, NAN);
    check_outputs(in, out);
    std::vector<int> places(sizes.rows);
    for (int row = 0; row < sizes.rows; row++) {
        places[row] = (row * 5 + 3) % (sizes.rows * 5 + 4);
    }
    int poolRows = sizes.rows * 5 + 4;
    for (const std::string type : {"bf16", "f16"}) {
        Outputs<uint16_t> narrow = split<uint16_t>(type, in, {}, sizes.rows, 7);
        CHECK(narrow.q == converted(type, out.q) && narrow.k == converted(type, out.k) && narrow.v == converted(type, out.v),
              "in %s", type.c_str());
        Outputs<uint16_t> pool = split<uint16_t>(type, in, places, poolRows, 7);
        CHECK(pool.q == narrow.q, "q in %s", type.c_str());
        std::size_t width = static_cast<std::size_t>(sizes.kvHeads) * sizes.headDim;
        std::vector<uint16_t> keys(pool.k.size(), 7);
        std::vector<uint16_t> values(pool.v.size(), 7);
        for (int row = 0; row < sizes.rows; row++) {
            std::copy_n(narrow.k.begin() + row * width, width, keys.begin() + places[row] * width);
            std::copy_n(narrow.v.begin() + row * width, width, values.begin() + places[row] * width);
        }
        CHECK(pool.k == keys && pool.v == values, "pool in %s", type.c_str());
    }
}

/// With tensors that quads cannot access, one at a time.
void check_displaced(const Inputs& in) {
    for (int tensor = 0; tensor < 8; tensor++) {
        Outputs<float> wide = split<float>("f32", in, {}, in.sizes.rows, NAN, tensor);
        check_outputs(in, wide);
        Outputs<uint16_t> narrow = split<uint16_t>("bf16", in, {}, in.sizes.rows, 7, tensor);
        CHECK(narrow.q == converted("bf16", wide.q) && narrow.k == converted("bf16", wide.k)
                  && narrow.v == converted("bf16", wide.v),
              "in bf16, with tensor %d displaced", tensor);
    }
}

void check_gradient(std::mt19937_64& random, const Inputs& in) {
    const Sizes& sizes = in.sizes;
    std::vector<float> q = random_floats(random, static_cast<int64_t>(sizes.rows) * sizes.heads * sizes.headDim);
    std::vector<float> k = random_floats(random, static_cast<int64_t>(sizes.rows) * sizes.kvHeads * sizes.headDim);
    std::vector<float> v = random_floats(random, static_cast<int64_t>(sizes.rows) * sizes.kvHeads * sizes.headDim);
    std::vector<float> passed(in.joined.size(), NAN);
    int groups = sizes.groups(sizes.all(), "split_heads_gradient_heads");
    launch("split_heads_gradient_f32", static_cast<int64_t>(sizes.rows) * groups, 1, constant("split_heads_gradient_threads"),
           passed.data(), q.data(), k.data(), v.data(), in.joined.data(), Inputs::or_null(in.queryWeight),
           Inputs::or_null(in.keyWeight), EPSILON, sizes.norm == Norm::ALL_HEADS ? 1 : 0, Inputs::or_null(in.cosine),
           Inputs::or_null(in.sine), sizes.heads, sizes.kvHeads, sizes.headDim, sizes.r, groups);
    for (int row = 0; row < sizes.rows; row++) {
        auto gradient = [&](int head, int column) {
            bool query = head < sizes.heads;
            bool value = head >= sizes.heads + sizes.kvHeads;
            const std::vector<float>& part = query ? q : value ? v : k;
            int heads = query ? sizes.heads : sizes.kvHeads;
            int index = query ? head : head - sizes.heads - (value ? sizes.kvHeads : 0);
            return static_cast<double>(part[(static_cast<std::size_t>(row) * heads + index) * sizes.headDim + column]);
        };
        for (int i = 0; i < sizes.all(); i++) {
            auto weighted = [&](int head, int column) {
                return in.weight(head, column)
                       * in.rotated(row, head, column, -1, [&](int other) { return gradient(head, other); });
            };
            double deviation = in.deviation(row, i);
            double along = 0;
            double size = 0;
            double largest = 0;
            auto [first, end] = in.together(i);
            for (int head = first; head < end; head++) {
                for (int column = 0; column < sizes.headDim; column++) {
                    double n = in.normed(i) ? in.x(row, head, column) / deviation : 0;
                    along += weighted(head, column) * n / in.count(i);
                    size += std::abs(n) / in.count(i);
                    largest = std::max(largest, std::abs(in.weight(head, column)) * std::abs(gradient(head, column)));
                }
            }
            largest *= in.turned(i, 0) ? 80 : 1; // both terms of a rotation, by angles of up to 20 in outliers
            for (int column = 0; column < sizes.headDim; column++) {
                double n = in.normed(i) ? in.x(row, i, column) / deviation : 0;
                double expected = (weighted(i, column) - n * along) / deviation;
                double error = !in.normed(i) && !in.turned(i, column)
                                   ? 0 : EPS * (in.count(i) + 64) * largest * (1 + std::abs(n) * size) / deviation;
                float found = passed[static_cast<std::size_t>(row) * sizes.width() + i * sizes.headDim + column];
                CHECK(std::abs(found - expected) <= error, "row %d, head %d, element %d is %.9g and not %.9g", row, i, column,
                      found, expected);
            }
        }
    }
}

} // namespace

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    for (int headDim : {1, 2, 4, 15, 16, 20, 31, 32, 33, 64, 80, 128, 256, 257, 260}) {
        for (Norm norm : {Norm::NONE, Norm::EACH_HEAD, Norm::ALL_HEADS}) {
            for (int r : std::set{0, headDim / 4, headDim / 2, headDim / 8 * 4}) {
                for (auto [rows, heads, kvHeads] : {std::array{1, 1, 1}, std::array{5, 6, 2}, std::array{3, 9, 9}}) {
                    situation = std::to_string(rows) + " rows, " + std::to_string(heads) + " and " + std::to_string(kvHeads)
                                + " heads of " + std::to_string(headDim) + ", " + std::to_string(r) + " pairs, norm "
                                + std::to_string(static_cast<int>(norm));
                    Inputs in(random, {rows, heads, kvHeads, headDim, r, norm});
                    check_forward(in);
                    check_gradient(random, in);
                    if (heads == 6 && (headDim == 20 || headDim == 64)) {
                        check_displaced(in);
                    }
                }
            }
        }
    }
    situation = "more heads than the blocks of a row take at once";
    check_forward(Inputs(random, {1, 40, 4, 80, 40, Norm::EACH_HEAD}));
}
