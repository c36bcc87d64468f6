// Attention split over keys, against plain loops in double.
#include "attention_decoding.h"
#include "attention_rounded.h"

namespace {

/// Attention of the queries from .. to - 1, split over keys and merged. Returns their output.
template <class T>
std::vector<float> decode(const TextOf<T>& text, int from, int to, Observed* observed) {
    const Spec& spec = text.spec;
    int queries = to - from;
    int keys = spec.causal ? to : text.tokens;
    int splits = static_cast<int>(pieces(keys, constant("attention_decode_keys")));
    std::vector<T> q = rows(text.q, spec.heads * spec.headDim, from, to);
    std::vector<T> k = rows(text.k, spec.kvHeads * spec.headDim, 0, keys);
    std::vector<T> v = rows(text.v, spec.kvHeads * spec.headDim, 0, keys);
    Decoding<T> decoding(spec, splits, queries);
    std::vector<float> out(q.size(), NAN);
    float* statistics[6] = {};
    for (int i = 0; i < 6; i++) {
        statistics[i] = observed == nullptr ? nullptr : observed->all()[i]->data();
    }
    int capacity = observed == nullptr ? 0 : observed->capacity;
    decoding.decode(nullptr, q.data(), k.data(), v.data(), nullptr, NO_TILES, 1, queries, keys, capacity);
    decoding.merge(1, out.data(), statistics, {}, NO_TILES, 1, queries, keys, capacity);
    std::vector<Bf16> bf16(q.size(), from_float<Bf16>(NAN));
    std::vector<F16> f16(q.size(), from_float<F16>(NAN));
    decoding.merge(1, bf16.data(), statistics, {}, NO_TILES, 1, queries, keys, capacity);
    decoding.merge(1, f16.data(), statistics, {}, NO_TILES, 1, queries, keys, capacity);
    check_rounded(bf16, out);
    check_rounded(f16, out);
    return out;
}

/// The last queries of a text; nothing may be written for the others.
template <class T>
void check_decode(const char* what, const TextOf<T>& text, int queries) {
    situation = std::string(what) + ", " + NAME<T> + ": " + std::to_string(queries) + " of " +
                std::to_string(text.tokens) + " tokens of width " + std::to_string(text.spec.headDim);
    int from = text.tokens - queries;
    Attention expected = reference(text);
    Observed observed(text.spec.heads, text.tokens + 1);
    std::vector<float> out = decode(text, from, text.tokens, &observed);
    CHECK(same_bits(out, decode(text, from, text.tokens, nullptr)), "observed and not");

    for (auto* x : {&expected.logSumExp, &expected.logDiagonal, &expected.entropy, &expected.maximum,
                    &expected.previous, &expected.distance}) {
        for (int head = 0; head < text.spec.heads; head++) {
            std::fill_n(x->begin() + static_cast<int64_t>(head) * text.tokens, from, NAN);
        }
    }
    double error = score_error(text, expected);
    double largest = 0;
    for (T x : text.v) {
        largest = std::max(largest, std::abs(static_cast<double>(to_float(x))));
    }
    check_rows(text.tokens, expected, observed, error, 0);
    check_close(out, rows(expected.out, text.spec.heads * text.spec.headDim, from, text.tokens), 2 * error * largest,
                1e-6, "out");
}

template <class T>
void check_decodes(std::mt19937_64& random) {
    for (int tokens : {1, 2, 31, 33, 64, 65, 129, 255, 256, 257, 600}) {
        check_decode("plain", random_text<T>(random, {.heads = 2, .kvHeads = 1, .headDim = 16}, tokens), 1);
    }
    for (int heads : {3, 8, 12, 17}) {
        check_decode("grouped", random_text<T>(random, {.heads = heads, .kvHeads = 1, .headDim = 16}, 300), 2);
    }
    for (int headDim : {1, 20, 32, 64, 80, 96, 128, 250, 256}) {
        check_decode("width", random_text<T>(random, {.headDim = headDim}, 40), 2);
    }
    check_decode("windowed", random_text<T>(random, {.headDim = 16, .window = 33}, 300), 20);
    check_decode("bidirectional", random_text<T>(random, {.headDim = 16, .causal = false}, 257), 257);
    check_decode("capped", random_text<T>(random, {.headDim = 16, .softCap = 5}, 270), 2);
    check_decode("with sinks", random_text<T>(random, {.heads = 2, .headDim = 16, .sinks = {1.5f, 40}}, 270), 2);
}

} // namespace

int main() {
    headscope_shuffle(SEED);
    std::mt19937_64 random(SEED);
    check_decodes<float>(random);
    check_decodes<Bf16>(random);
    check_decodes<F16>(random);
}
