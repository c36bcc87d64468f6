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

/// A row of so many splits, of random numbers.
void check_merge(std::mt19937_64& random, int splits, int headDim, bool withSink) {
    situation = std::to_string(splits) + " splits of width " + std::to_string(headDim);
    Spec spec{.heads = 9, .headDim = headDim, .sinks = withSink ? std::vector<float>(9, 1.5f) : std::vector<float>{}};
    int keys = splits * constant("attention_decode_keys") - 3;
    int stride = (headDim + 3) / 4 * 4;
    Decoding<float> decoding(spec, splits, 1);
    decoding.sums = random_floats(random, static_cast<int64_t>(decoding.sums.size()));
    std::vector<double> out, logSums;
    Observed expected(spec.heads, keys), observed(spec.heads, keys);
    for (int head = 0; head < spec.heads; head++) {
        std::vector<float> of_head = random_floats(random, 6 * splits);
        float* peaks = of_head.data();
        for (int split = 0; split < splits; split++) {
            peaks[split + splits] = 1 + std::abs(peaks[split + splits]);
            peaks[split + 2 * splits] = -std::abs(peaks[split + 2 * splits]);
            peaks[split + 3 * splits] = std::abs(peaks[split + 3 * splits]);
            peaks[split + 4 * splits] = split == splits - 1 ? peaks[split] - 1 : -1e30f;
            peaks[split + 5 * splits] = split == splits - 1 ? peaks[split] - 2 : -1e30f;
        }
        double peak = *std::max_element(peaks, peaks + splits);
        double sum = 0, moment = 0, distance = 0;
        std::vector<double> row(headDim);
        for (int split = 0; split < splits; split++) {
            double drop = peaks[split] - peak;
            double weight = std::exp2(drop);
            sum += weight * peaks[split + splits];
            moment += weight * (peaks[split + 2 * splits] + drop * peaks[split + splits]);
            distance += weight * peaks[split + 3 * splits];
            for (int c = 0; c < headDim; c++) {
                row[c] += weight * decoding.sums[(static_cast<int64_t>(split) * spec.heads + head) * stride + c];
            }
        }
        double total = sum + (withSink ? std::exp2(1.5 * std::log2(std::exp(1.0)) - peak) : 0);
        double logSum = peak + std::log2(total);
        logSums.push_back(logSum);
        int at = head * keys + keys - 1;
        expected.logSumExp[at] = static_cast<float>(logSum * std::log(2.0));
        expected.logDiagonal[at] = static_cast<float>((peaks[splits - 1] - 1 - logSum) * std::log(2.0));
        expected.entropy[at] = static_cast<float>((std::log2(total) * sum - moment) / total * std::log(2.0));
        expected.maximum[at] = static_cast<float>(1 / total);
        expected.previous[at] = static_cast<float>(std::exp2(peaks[splits - 1] - 2 - logSum));
        expected.distance[at] = static_cast<float>(distance / total);
        for (double x : row) {
            out.push_back(x / total);
        }
        std::copy(of_head.begin(), of_head.end(), decoding.numbers.begin() + head * 6 * splits);
    }
    float* statistics[6];
    for (int i = 0; i < 6; i++) {
        statistics[i] = observed.all()[i]->data();
    }
    std::vector<float> actual(out.size(), NAN), alone(out.size(), NAN), newest(2 * spec.heads, NAN);
    decoding.merge(1, actual.data(), statistics, {.newest = newest.data()}, NO_TILES, 1, 1, keys, keys);
    check_close(actual, out, 1e-4, 1e-5, "out");
    for (int i = 0; i < 6; i++) {
        for (int head = 0; head < spec.heads; head++) {
            int at = head * keys + keys - 1;
            double right = (*expected.all()[i])[at];
            CHECK(std::abs((*observed.all()[i])[at] - right) <= 2e-5 * (1 + std::abs(right)), "statistic %d: %g and not %g", i,
                  static_cast<double>((*observed.all()[i])[at]), right);
        }
    }
    // With column sums as well
    std::vector<float> scores = random_floats(random, static_cast<int64_t>(spec.heads) * keys);
    std::vector<float> row = scores;
    std::vector<double> columns(scores.size(), 0.25), columnsRight, sums(spec.heads * 7, 0.5);
    std::vector<double> right;
    for (int head = 0; head < spec.heads; head++) {
        CHECK(std::abs(newest[2 * head] - logSums[head]) <= 2e-5 * (1 + std::abs(logSums[head])), "log-sum-exp");
        CHECK(newest[2 * head + 1] == 0, "first key");
        for (int key = 0; key < keys; key++) {
            right.push_back(std::exp2(scores[head * keys + key] - newest[2 * head]));
            columnsRight.push_back(right.back() + (key == keys - 1 ? 0 : 0.25));
        }
    }
    int bin = constant("attention_merge_keys");
    decoding.merge(1 + static_cast<int>(pieces(keys, bin)), alone.data(), statistics,
                   {.scores = row.data(), .columnSum = columns.data(), .sums = sums.data(), .bin = bin}, NO_TILES, 1, 1, keys,
                   keys);
    CHECK(same_bits(alone, actual), "with and without column sums");
    check_close(row, right, 0, 1e-5, "probabilities");
    check_close(columns, columnsRight, 0, 1e-5, "column sums");
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
    int few = constant("attention_merge_few");
    for (int splits : {1, 2, 4, 5, few - 1, few, few + 1, 8 * few, 8 * few + 1, 600}) {
        check_merge(random, splits, 16, splits % 2 == 0);
    }
    for (int headDim : {1, 20, 80, 129, 250, 256}) {
        check_merge(random, 7, headDim, true);
        check_merge(random, few + 7, headDim, false);
    }
    check_decodes<float>(random);
    check_decodes<Bf16>(random);
    check_decodes<F16>(random);
}
