// The operations of hopper.cuh in the emulator: their results, and a report for each of their mistakes.
#include "hopper_kernels.h"

namespace {

template <class T>
std::vector<T> numbers(std::mt19937_64& random, int64_t count) {
    std::vector<T> x;
    for (float element : random_floats(random, count)) {
        x.push_back(from_float<T>(element));
    }
    return x;
}

/// a b' or, transposed, a b; products of row-major matrices.
template <class A, class B>
std::vector<double> product(const std::vector<A>& a, const std::vector<B>& b, int rows, int depth, int columns,
                            bool transposed) {
    std::vector<double> sums;
    for (int row = 0; row < rows; row++) {
        for (int column = 0; column < columns; column++) {
            double sum = 0;
            for (int d = 0; d < depth; d++) {
                sum += static_cast<double>(to_float(a[row * depth + d])) *
                       to_float(b[transposed ? d * columns + column : column * depth + d]);
            }
            sums.push_back(sum);
        }
    }
    return sums;
}

template <class T>
std::vector<T> rounded(const std::vector<float>& x) {
    std::vector<T> y;
    for (float element : x) {
        y.push_back(from_float<T>(element / 64));
    }
    return y;
}

/// The fields that are right on an H100; others give wrong results or a report.
template <class T>
void check_descriptors(std::mt19937_64& random, const char* name, int width) {
    constexpr int KEYS = 128;
    std::string kernel = std::string("described_") + name + "_d" + std::to_string(width);
    situation = kernel;
    std::vector<T> q = numbers<T>(random, ROWS * width);
    std::vector<T> k = numbers<T>(random, KEYS * width);
    std::vector<T> v = numbers<T>(random, KEYS * width);
    TensorMap maps[] = {map_of_rows(q.data(), ROWS, width, ROWS), map_of_rows(k.data(), KEYS, width, KEYS),
                        map_of_rows(v.data(), KEYS, width, KEYS)};
    std::vector<double> expected = product(q, k, ROWS, width, KEYS, false);
    BlockOf block(GROUP_THREADS, (width + 63) / 64 * (ROWS + 2 * KEYS) * ROW_BYTES);
    std::vector<float> s(ROWS * KEYS, NAN);
    std::vector<float> o(ROWS * width, NAN);
    launch(kernel.c_str(), 1, 1, block, maps[0], maps[1], maps[2], s.data(), o.data(), 16, 1024, KEYS * ROW_BYTES, 1024,
           2048);
    check_close(s, expected, 2e-3, 1e-6, "s"); // sums of numbers up to 400
    check_close(o, product(rounded<T>(s), v, ROWS, KEYS, width, true), 2e-3, 1e-6, "o");
    float* sOut = s.data();
    float* oOut = o.data();
    for (std::vector<int> fields : {std::vector{16, 128, 16384, 1024, 2048}, {16, 2048, 16384, 1024, 2048},
                                    {16, 1024, 16384, 128, 2048}, {16, 1024, 1024, 16384, 2048},
                                    {16, 1024, 16384, 1024, 1024}, {16, 1024, 16384, 1024, 128}}) {
        void* arguments[] = {&maps[0],  &maps[1],   &maps[2],   &sOut,      &oOut,
                             &fields[0], &fields[1], &fields[2], &fields[3], &fields[4]};
        int result = headscope_launch(kernel.c_str(), 1, 1, 1, GROUP_THREADS, 1, 1, block.shared, arguments);
        std::vector<double> again = product(rounded<T>(s), v, ROWS, KEYS, width, true);
        double worst = 0;
        for (std::size_t i = 0; i < s.size(); i++) {
            worst = std::max(worst, std::abs(s[i] - expected[i]));
        }
        for (std::size_t i = 0; i < o.size(); i++) {
            worst = std::max(worst, std::abs(o[i] - again[i]));
        }
        CHECK(result != 0 || worst > 1, "wrong fields give right results");
    }
}

struct Stream {
    int tiles = 5;
    std::vector<Bf16> q, k, v;
    std::vector<float> out;
    TensorMap maps[3];

    explicit Stream(std::mt19937_64& random)
        : q(numbers<Bf16>(random, ROWS * 64)), k(numbers<Bf16>(random, tiles * TILE * 64)),
          v(numbers<Bf16>(random, tiles * TILE * 64)), out(ROWS * 64, NAN),
          maps{map_of_rows(q.data(), ROWS, 64, ROWS), map_of_rows(k.data(), tiles * TILE, 64, TILE),
               map_of_rows(v.data(), tiles * TILE, 64, TILE)} {}

    int run(int fault) {
        float* to = out.data();
        void* arguments[] = {&maps[0], &maps[1], &maps[2], &to, &tiles, &fault};
        return headscope_launch("streamed", 1, 1, 1, BLOCK, 1, 1, (1 + 2 * STAGES) * TILE_BYTES, arguments);
    }

    void check() {
        std::vector<double> expected(ROWS * 64);
        for (int tile = 0; tile < tiles; tile++) {
            std::vector<Bf16> keys(k.begin() + tile * TILE * 64, k.begin() + (tile + 1) * TILE * 64);
            std::vector<Bf16> values(v.begin() + tile * TILE * 64, v.begin() + (tile + 1) * TILE * 64);
            std::vector<double> s = product(q, keys, ROWS, 64, TILE, false);
            std::vector<Bf16> weights = rounded<Bf16>(std::vector<float>(s.begin(), s.end()));
            std::vector<double> part = product(weights, values, ROWS, TILE, 64, true);
            for (std::size_t i = 0; i < part.size(); i++) {
                expected[i] += part[i];
            }
        }
        CHECK(run(NONE) == 0, "%s", headscope_last_error());
        check_close(out, expected, 4, 1e-3, "out"); // two weights up to 8 rounded the other way, by 1/32, times values up to 60
    }
};

void check_faults(Stream& stream) {
    const std::vector<std::pair<Fault, const char*>> reports = {
        {BARRIERS_NOT_PUBLISHED, "no barriers_initialised()"},
        {BARRIERS_NOT_SYNCHRONISED, "not initialised|no __syncthreads()|no barriers_initialised()"},
        {BARRIER_IN_REGISTERS, "the barrier is not initialised"},
        {NOT_WAITED_FOR_TILE, "has not waited for the tile|nobody has written"},
        {ONE_LANE_WAITS, "has not waited for the tile"},
        {ELEMENT_NOT_WAITED_FOR, "has not waited for the element"},
        {ELEMENT_READ_BESIDE_RELEASE, "overwrites what a thread of warp"},
        {TOO_FEW_BYTES, "expects 8192 bytes, and its copies bring 16384"},
        {TOO_MANY_BYTES, "expects 24576 bytes, and its copies bring 16384"},
        {WRONG_PARITY, "has not waited for the tile|nobody has written|lacks"},
        {NOT_RELEASED, "lacks 4 of 4 arrivals"},
        {RELEASED_TWICE, "more arrivals than the 4|may still read|unbalanced|overwrites one|has not waited|lacks"},
        {RELEASED_TOO_EARLY, "may still read"},
        {NOT_WAITED_FOR_SLOT, "overwrites|more arrivals"},
        {ONE_BOX_OVER_ANOTHER, "overwrites one that has not arrived"},
        {MISALIGNED_BOX, "aligned to 128"},
        {MISALIGNED_START, "multiple of 16 bytes along axis 0"},
        {TILE_BEYOND_END, "has its size|overwrites|nobody has written"},
        {NO_BEGIN, "no begin_products()"},
        {NO_BEGIN_FOR_WEIGHTS, "no begin_products()"},
        {SUMS_TOO_EARLY, "before wait_for_products()"},
        {WEIGHTS_TOO_EARLY, "before wait_for_products()"},
        {PRODUCTS_NOT_COMMITTED, "before|may still read"},
        {PRODUCTS_NOT_WAITED_FOR, "before|may still read"},
        {DESCRIPTOR_BEYOND_TILE, "reads outside its tile|has not waited"},
        {DESCRIPTOR_BETWEEN_ROWS, "multiple of 1024"},
        {WRITTEN_NOT_PUBLISHED, "no publish()"},
        {COPIED_OVER_UNPUBLISHED, "no publish()"},
        {ONE_WARP_LESS, "have not issued the same products"},
        {NAMED_BARRIER_LEFT, "barrier 1 is left unbalanced: 128 of 256"},
        {NAMED_BARRIER_OF_OTHER_SIZE, "and not of"},
        {NAMED_BARRIER_TWICE, "arrives twice"},
        {NAMED_BARRIER_FOR_EVER, "128 of 256 threads have arrived"},
        {REGISTERS_DO_NOT_FIT, "more registers, and"},
        {REGISTERS_BETWEEN_STEPS, "in steps of 8"},
        {REGISTERS_WRONG_WAY, "more than it wants"},
        {COPY_NOBODY_WAITS_FOR, "left unbalanced"},
    };
    for (auto& [fault, texts] : reports) {
        situation = "fault " + std::to_string(fault);
        CHECK(stream.run(fault) != 0, "went unnoticed; expected: %s", texts);
        std::string message = headscope_last_error();
        bool expected = false;
        for (std::string rest = texts; !rest.empty();) {
            std::size_t bar = rest.find('|');
            expected = expected || message.find(rest.substr(0, bar)) != std::string::npos;
            rest = bar == std::string::npos ? "" : rest.substr(bar + 1);
        }
        CHECK(expected, "%s, expected: %s", message.c_str(), texts);
    }
}

void check_written(std::mt19937_64& random) {
    situation = "written by threads";
    std::vector<Bf16> a = numbers<Bf16>(random, 64 * 64);
    std::vector<Bf16> b = numbers<Bf16>(random, 64 * 64);
    std::vector<float> sum(64 * 64, NAN);
    launch("written", 1, 1, BlockOf(GROUP_THREADS, 2 * TILE_BYTES), a.data(), b.data(), sum.data());
    check_close(sum, product(a, b, 64, 64, 64, false), 2e-3, 1e-6, "sum");
}

void check_boxes() {
    std::vector<float> x(3 * 5 * 8);
    for (std::size_t i = 0; i < x.size(); i++) {
        x[i] = static_cast<float>(i + 1);
    }
    TensorMap vector = map_of(x.data(), {x.size()}, {}, {32}, 0);
    TensorMap tensor = map_of(x.data(), {7, 5, 3}, {8, 40}, {4, 2, 2}, 0);
    for (std::vector<int> at : {std::vector{4, 2, 1}, {-4, -1, -1}, {0, 4, 2}, {100, 0, 0}}) {
        situation = "box at " + std::to_string(at[0]);
        std::vector<float> observed(48, NAN);
        float early = 0;
        launch("boxed", 1, 1, BlockOf(WARP, 48 * sizeof(float)), vector, tensor, at[0], at[1], at[2], &early,
               observed.data());
        CHECK(std::isnan(early), "a copy that has not been waited for gives %g", early);
        for (int i = 0; i < 32; i++) {
            int element = at[0] + i;
            float expected = element >= 0 && element < static_cast<int>(x.size()) ? x[element] : 0;
            CHECK(observed[i] == expected, "element %d is %g, not %g", i, observed[i], expected);
        }
        for (int i = 0; i < 16; i++) {
            int column = at[0] + i % 4, row = at[1] + i / 4 % 2, plane = at[2] + i / 8;
            bool inside = column >= 0 && column < 7 && row >= 0 && row < 5 && plane >= 0 && plane < 3;
            float expected = inside ? x[plane * 40 + row * 8 + column] : 0;
            CHECK(observed[32 + i] == expected, "element %d is %g, not %g", i, observed[32 + i], expected);
        }
    }
    TensorMap map;
    for (uint64_t stride : {4, 24}) { // bytes
        uint64_t extent[] = {4, 4};
        uint32_t box[] = {4, 4};
        const char* mistake = headscope_tensor_map(&map, 4, 2, x.data(), extent, &stride, box, 0);
        CHECK(std::strstr(mistake, "multiple of 16"), "%s", mistake);
    }
}

} // namespace

int main() {
    std::mt19937_64 random(SEED);
    for (unsigned long seed : {0ul, SEED, SEED + 1, SEED + 2}) {
        headscope_shuffle(seed);
        Stream stream(random);
        stream.check();
        check_faults(stream);
        stream.check(); // the reports leave no state behind
        check_written(random);
        check_boxes();
    }
    check_descriptors<Bf16>(random, "bf16", 128);
    check_descriptors<F16>(random, "f16", 128);
    check_descriptors<Bf16>(random, "bf16", 96);
    check_descriptors<Bf16>(random, "bf16", 80);
    check_descriptors<Bf16>(random, "bf16", 64);
}
