// The operations of tensor_core.cuh in the emulator: 16-bit floats, warp products, and asynchronous copies.
#include "../tensor_core.cuh"
#include "check.h"

KERNEL(multiplied, WARP, float* sum, const Bf16* a, const Bf16* b, const Bf16* transposed) {
    SHARED(Bf16[16 * 16], left);
    SHARED(Bf16[16 * 16], right);
    int lane = threadIdx.x;
    for (int i = lane; i < 16 * 16; i += WARP) {
        left[i] = a[i];
        right[i] = transposed == nullptr ? b[i] : transposed[i];
    }
    __syncwarp();
    unsigned a_piece[4];
    unsigned b_piece[4];
    load_matrices(a_piece, left + lane % 16 * 16 + lane / 16 * 8);
    if (transposed == nullptr) { // b [column, depth]: right factors of two products at once
        load_matrices(b_piece, right + (lane / 16 * 8 + lane % 8) * 16 + lane / 8 % 2 * 8);
    } else { // b [depth, column]
        load_transposed(b_piece, right + lane % 16 * 16 + lane / 16 * 8);
    }
    for (int piece = 0; piece < 2; piece++) {
        float own[4] = {1, 1, 1, 1};
        multiply<Bf16>(own, a_piece, b_piece + 2 * piece);
        for (int i = 0; i < 4; i++) {
            sum[(lane / 4 + i / 2 * 8) * 16 + piece * 8 + lane % 4 * 2 + i % 2] = own[i];
        }
    }
}

/// Two groups of copies, the newest of which may still be pending.
KERNEL(copied, WARP, float* observed, const F16* from, int wait) {
    SHARED(F16[2 * WARP * 8], to);
    int lane = threadIdx.x;
    to[lane * 8] = to[(WARP + lane) * 8] = from_float<F16>(-1);
    copy_chunk(to + lane * 8, from + lane * 8, lane != 5);
    end_copies();
    copy_chunk(to + (WARP + lane) * 8, from + lane * 8, true);
    end_copies();
    if (wait == 1) {
        wait_for_copies<1>();
    } else if (wait == 0) {
        wait_for_copies<0>();
    }
    __syncwarp();
    observed[lane] = to_float(to[(lane ^ 1) * 8 + 7]);
    observed[WARP + lane] = to_float(to[(WARP + (lane ^ 1)) * 8 + 7]);
    __syncwarp();
    wait_for_copies<0>();
}

/// Words that lie at no multiple of 16 bytes.
KERNEL(copied_words, WARP, float* observed, const float* from) {
    SHARED(float[WARP + 1], to);
    int lane = threadIdx.x;
    to[lane + 1] = -1;
    copy_word(to + lane + 1, from + lane + 1, lane != 5);
    end_copies();
    observed[lane] = to[lane + 1];
    wait_for_copies<0>();
    __syncwarp();
    observed[WARP + lane] = to[(lane ^ 1) + 1];
}

KERNEL(misread, WARP, const F16* from) {
    F16 to[8];
    read_chunk(to, from + 1);
}

KERNEL(forgotten, WARP, const F16* from) {
    SHARED(F16[WARP * 8], to);
    copy_chunk(to + threadIdx.x * 8, from, true);
    end_copies();
}

KERNEL(misaligned, WARP, const F16* from) {
    SHARED(F16[WARP * 8 + 8], to);
    copy_chunk(to + threadIdx.x * 8 + 1, from, true);
}

namespace {

/// Every 16-bit value converts exactly; a float between two of them is rounded to nearest, ties to even.
template <class T>
void check_numbers(int fractionBits, float next) {
    situation = "numbers with " + std::to_string(fractionBits) + " bits of fraction";
    std::uint32_t infinity = ((1u << (15 - fractionBits)) - 1) << fractionBits;
    for (std::uint32_t bits = 0; bits < infinity; bits++) {
        float low = to_float(T{static_cast<std::uint16_t>(bits)});
        float high = bits + 1 == infinity ? next : to_float(T{static_cast<std::uint16_t>(bits + 1)});
        float middle = low + (high - low) / 2;
        std::uint32_t even = bits + bits % 2;
        for (float sign : {1.0f, -1.0f}) {
            std::uint32_t top = sign < 0 ? 0x8000 : 0;
            CHECK(from_float<T>(sign * low).bits == (bits | top), "%x", bits);
            if (std::isinf(high)) {
                continue;
            }
            CHECK(from_float<T>(sign * std::nextafter(middle, low)).bits == (bits | top), "below %x", bits);
            CHECK(from_float<T>(sign * std::nextafter(middle, high)).bits == ((bits + 1) | top), "above %x", bits);
            if (middle - low == high - middle) {
                CHECK(from_float<T>(sign * middle).bits == (even | top), "tie at %x", bits);
            }
        }
    }
    CHECK(from_float<T>(INFINITY).bits == infinity && std::isnan(to_float(from_float<T>(NAN))), "what is not finite");
    CHECK(pack<T>(1, -2) == (from_float<T>(1).bits | static_cast<unsigned>(from_float<T>(-2).bits) << 16), "pack");
}

void check_products(std::mt19937_64& random) {
    situation = "products";
    std::vector<Bf16> a, b, transposed(256);
    for (float x : random_floats(random, 256)) {
        a.push_back(from_float<Bf16>(x));
    }
    for (float x : random_floats(random, 256)) {
        b.push_back(from_float<Bf16>(x));
    }
    for (int i = 0; i < 256; i++) {
        transposed[i % 16 * 16 + i / 16] = b[i];
    }
    std::vector<double> expected;
    for (int row = 0; row < 16; row++) {
        for (int column = 0; column < 16; column++) {
            double sum = 1;
            for (int depth = 0; depth < 16; depth++) {
                sum += static_cast<double>(to_float(a[row * 16 + depth])) * to_float(b[column * 16 + depth]);
            }
            expected.push_back(sum);
        }
    }
    const Bf16* none = nullptr;
    std::vector<float> sum(256, NAN);
    launch("multiplied", 1, 1, WARP, sum.data(), a.data(), b.data(), none);
    check_close(sum, expected, 0, 1e-7, "product"); // one rounding
    launch("multiplied", 1, 1, WARP, sum.data(), a.data(), b.data(), transposed.data());
    check_close(sum, expected, 0, 1e-7, "product with a transposed factor");
}

void check_copies() {
    situation = "copies";
    std::vector<F16> from;
    for (int i = 0; i < WARP * 8; i++) {
        from.push_back(from_float<F16>(static_cast<float>(i)));
    }
    for (int wait : {2, 1, 0}) {
        std::vector<float> observed(2 * WARP);
        launch("copied", 1, 1, WARP, observed.data(), from.data(), wait);
        for (int lane = 0; lane < WARP; lane++) {
            float source = static_cast<float>((lane ^ 1) * 8 + 7);
            float first = (lane ^ 1) == 5 ? 0 : source;
            CHECK(wait <= 1 ? observed[lane] == first : std::isnan(observed[lane]), "wait %d: %g", wait,
                  observed[lane]);
            CHECK(wait == 0 ? observed[WARP + lane] == source : std::isnan(observed[WARP + lane]), "wait %d: %g", wait,
                  observed[WARP + lane]);
        }
    }
    std::vector<float> words, observed(2 * WARP);
    for (int i = 0; i <= WARP; i++) {
        words.push_back(static_cast<float>(i));
    }
    launch("copied_words", 1, 1, WARP, observed.data(), words.data());
    for (int lane = 0; lane < WARP; lane++) {
        float expected = (lane ^ 1) == 5 ? 0 : words[(lane ^ 1) + 1];
        CHECK(std::isnan(observed[lane]), "before the wait: %g", observed[lane]);
        CHECK(observed[WARP + lane] == expected, "after the wait: %g", observed[WARP + lane]);
    }
    const F16* pointer = from.data();
    void* arguments[] = {&pointer};
    for (const char* kernel : {"misaligned", "misread"}) {
        CHECK(headscope_launch(kernel, 1, 1, 1, WARP, 1, 1, 0, arguments) != 0, "an address between chunks");
        CHECK(std::strstr(headscope_last_error(), "not a multiple of 16"), "%s", headscope_last_error());
    }
    CHECK(headscope_launch("forgotten", 1, 1, 1, WARP, 1, 1, 0, arguments) != 0, "a copy that nobody waits for");
    CHECK(std::strstr(headscope_last_error(), "has ended before its copies"), "%s", headscope_last_error());
}

} // namespace

int main() {
    std::mt19937_64 random(SEED);
    check_numbers<Bf16>(7, INFINITY);
    check_numbers<F16>(10, 65536);
    for (unsigned long seed : {0ul, SEED}) {
        headscope_shuffle(seed);
        check_products(random);
        check_copies();
    }
    CHECK(fast_exp2(-127) == 0 && fast_exp2(-1e30f) == 0 && fast_exp2(-3) == 0.125f, "exp2");
    CHECK(fast_reciprocal(INFINITY) == 0 && fast_reciprocal(4) == 0.25f, "reciprocal");
}
