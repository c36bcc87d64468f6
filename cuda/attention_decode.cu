// Attention of a few queries over many keys. The keys are split across blocks so that the whole device is busy, and the
// query heads that share a key head are computed together, so that k and v are read once.
//
//   decode   sums over one split: exponentials relative to the split's maximum times v, and the row of softmax_row.cuh
//   merge    combines the sums of the splits into the results of attention_forward.cu; of a single query, it also turns
//            the scores into probabilities, adds them to the column sums and to the atlas, and the statistics to the sums
//            of attention_sums.cu
//
//   p_j = exp(s_j - logSumExp)    columnSum_j (+)= p_j    cells[i / bin, b] = maximum or sum of p_j over the j of cell b
//                                                         and of its earlier value if earlier tokens lie in it
//
// In      q [queries, heads * headDim]; k, v [keys, kvHeads * headDim], or with pages [16 * pages, kvHeads * headDim]: key
//         i of a text is row i % 16 of page pages[firstPage + i / 16]; pages, int, or null; sinks [heads], fp32, or null.
//         16-bit tensors are aligned to 16 bytes. v is null if only statistics are needed; then out is null, too
//         tiles has one entry per text; the keys (or pages) of the texts follow one another in the order of the entries,
//         gaps are allowed. A text without keys has no blocks
//         splits = the number of splits, counted over all texts by text_part; bin = 0 if there are no scores; side and
//         mean are those of an atlas: one text, keys <= side * bin, mean is 0 for the maximum, else 1; cells is null
//         without one
// Out     decode: sums [splits, most queries, heads, headDim rounded up to 4]; numbers [most queries, heads, 6, splits];
//         scores [heads, capacity] of the visible keys, in units of log 2; fp32
//         merge: out [queries, heads * headDim]; the statistics as attention_forward.cu; fp32; scores, now probabilities
//         of all keys; columnSum [heads, capacity], fp64: set for the new key, added to for the others; rowSums [slots,
//         heads, 7], fp64: set for the first token, else added to; cells [heads, side, side]: every element of the new
//         token's row of cells
// Launch  decode: grid x = splits, y = kvHeads * ceil(heads / kvHeads / attention_decode_heads), z = most queries of a
//         text; block attention_decode_threads;
//         merge: grid x = texts if bin is 0; 1 + side with an atlas; else the parts of bin keys, and one more per text,
//         counted by text_part; y = heads, z = most queries of a text; block attention_merge_threads. Larger grids in x,
//         with a larger `splits` in merge, give the same results
// Cost    decode: the bytes of the visible k and v; merge: 4 splits headDim bytes per query head, and for a single query
//         24 keys bytes per head
// Rounds  fp32, in a fixed order that depends on the text alone, bit-reproducible; of 16-bit operands, exponentials are
//         the sum of two 16-bit numbers: relative error 2^-17. Probabilities as in attention_columns.cu
// See     Backend.attention, AttentionAtlas, test/attention_decode_test.cpp, test/attention_atlas_test.cpp,
//         test/attention_packed_test.cpp
#include "block.cuh"
#include "row_sums.cuh"
#include "tensor_core.cuh"

#include <cstring>

constexpr int THREADS = 256;
constexpr int WARPS = THREADS / WARP;
constexpr int SPLIT = 256; // keys
constexpr int WARP_KEYS = SPLIT / WARPS;
constexpr int HEADS = 8; // query heads of a block, which share a key head
constexpr int PAGE = 16; // keys; PageTable.TOKENS
constexpr int PAGES = WARP_KEYS / PAGE;
constexpr int PART = 128;      // columns of v that are summed at a time
constexpr int ROW_NUMBERS = 6; // per row of a split: peak, sum, moment, distance, own and previous token's scores
constexpr int ROW_KEYS = 1024; // of a block that adds probabilities to column sums
static_assert(HEADS == WARPS, "a warp reduces the scores of one head");

EXPORT(attention_decode_threads, THREADS);
EXPORT(attention_decode_keys, SPLIT);
EXPORT(attention_decode_heads, HEADS);
EXPORT(attention_decode_page, PAGE);
EXPORT(attention_merge_threads, THREADS);
EXPORT(attention_merge_keys, ROW_KEYS);

/// Scores of a split. Four columns of padding: eight heads lie in different banks.
using Scores = float[HEADS][SPLIT + 4];

/// Rows of one head. Rows outside first .. end - 1 and columns beyond the head's width are read as 0.
/// CHUNKED: the width is a multiple of the elements in 16 bytes.
template <class T, bool CHUNKED>
struct RowsOf {
    const T* x;
    int64_t stride;
    int first;
    int end;
    int headDim;

    /// 16 bytes from a column on.
    template <class X>
    __device__ void read(X (&to)[4], int row, int column) const {
        const T* from = x + row * stride + column;
        bool there = row >= first && row < end;
        UNROLL for (int i = 0; i < 4; i++) {
            to[i] = 0;
        }
        if constexpr (CHUNKED) {
            if (there && column < headDim) {
                read_chunk(reinterpret_cast<T*>(to), from);
            }
        } else {
            // Element by element in a loop that is not unrolled, which would take too many registers.
            UNROLL_BY(1) for (int e = 0; e < static_cast<int>(16 / sizeof(T)); e++) {
                T element = there && column + e < headDim ? from[e] : from_float<T>(0);
                unsigned next = 0;
                memcpy(&next, &element, sizeof(element));
                unsigned words[4];
                memcpy(words, to, sizeof(words));
                UNROLL for (int i = 0; i < 4; i++) {
                    unsigned following = i < 3 ? words[i + 1] : next;
                    words[i] = sizeof(T) == 4 ? following : words[i] >> 16 | following << 16;
                }
                memcpy(to, words, sizeof(words));
            }
        }
    }
};

/// The keys or values of a key head.
template <class T, bool CHUNKED>
struct Paged {
    const T* x;
    const int* pages; // of the text; null if its keys follow one another
    int64_t stride;
    int first; // visible key
    int end;
    int headDim;

    /// The rows of the keys from a multiple of PAGE on.
    __device__ RowsOf<T, CHUNKED> page(int key) const {
        int64_t row = key;
        if (pages != nullptr) {
            row = key < end ? static_cast<int64_t>(pages[key / PAGE]) * PAGE : 0;
        }
        return {x + row * stride, stride, first - key, end - key, headDim};
    }
};

/// Products of a warp's keys and the queries of a block's heads.
template <int WIDTH, class T, bool CHUNKED>
struct KeyProducts {
    static constexpr int STEP = 32; // columns that four lanes read at once
    static constexpr int STEPS = ((WIDTH < PART ? WIDTH : PART) + STEP - 1) / STEP;

    /// Lane l reads columns 8 (l % 4) .. + 7 of each step: a permutation of the columns of the product, equal in q and k.
    static __device__ void write(Scores& score, const RowsOf<T, CHUNKED>& q, const Paged<T, CHUNKED>& k, int split, int) {
        int lane = static_cast<int>(threadIdx.x) % WARP;
        UNROLL_BY(1) for (int p = 0; p < PAGES; p++) {
            int from = static_cast<int>(threadIdx.x) / WARP * WARP_KEYS + p * PAGE;
            RowsOf<T, CHUNKED> page = k.page(split + from);
            float sum[4] = {};
            UNROLL_BY(1) for (int part = 0; part < WIDTH; part += PART) {
                unsigned query[STEPS][4];
                unsigned upper[STEPS][4];
                unsigned lower[STEPS][4];
                UNROLL for (int s = 0; s < STEPS; s++) {
                    int column = part + s * STEP + lane % 4 * 8;
                    q.read(query[s], lane / 4, column);
                    page.read(upper[s], lane / 4, column);
                    page.read(lower[s], lane / 4 + 8, column);
                }
                UNROLL for (int s = 0; s < STEPS; s++) {
                    UNROLL for (int half = 0; half < 4; half += 2) {
                        unsigned a[4] = {upper[s][half], lower[s][half], upper[s][half + 1], lower[s][half + 1]};
                        multiply<T>(sum, a, query[s] + half);
                    }
                }
            }
            UNROLL for (int i = 0; i < 4; i++) {
                score[lane % 4 * 2 + i % 2][from + lane / 4 + i / 2 * 8] = sum[i];
            }
        }
    }
};

template <int WIDTH, bool CHUNKED>
struct KeyProducts<WIDTH, float, CHUNKED> {
    static constexpr int LANES = 8; // that share a key
    static constexpr int STEP = LANES * 4;
    static constexpr int KEYS = PAGE * LANES / WARP; // per lane

    static __device__ void write(Scores& score, const RowsOf<float, CHUNKED>& q, const Paged<float, CHUNKED>& k, int split,
                                 int heads) {
        int lane = static_cast<int>(threadIdx.x) % WARP;
        int column = lane % LANES * 4;
        UNROLL_BY(1) for (int p = 0; p < PAGES; p++) {
            int from = static_cast<int>(threadIdx.x) / WARP * WARP_KEYS + p * PAGE;
            RowsOf<float, CHUNKED> page = k.page(split + from);
            float sum[KEYS][HEADS] = {};
            UNROLL_BY(1) for (int s = 0; s < WIDTH; s += STEP) {
                float key[KEYS][4];
                UNROLL for (int i = 0; i < KEYS; i++) {
                    page.read(key[i], lane / LANES + i * (WARP / LANES), s + column);
                }
                UNROLL for (int head = 0; head < HEADS; head++) {
                    if (head < heads) {
                        float query[4];
                        q.read(query, head, s + column);
                        UNROLL for (int i = 0; i < KEYS; i++) {
                            UNROLL for (int e = 0; e < 4; e++) {
                                sum[i][head] += query[e] * key[i][e];
                            }
                        }
                    }
                }
            }
            UNROLL for (int head = 0; head < HEADS; head++) {
                if (head < heads) {
                    UNROLL for (int i = 0; i < KEYS; i++) {
                        float product = warp_sum<LANES>(sum[i][head]);
                        if (lane % LANES == head) {
                            score[head][from + lane / LANES + i * (WARP / LANES)] = product;
                        }
                    }
                }
            }
        }
    }
};

/// Exponentials times values, of PART columns: the sums over each warp's keys.
template <int WIDTH>
struct WeightedValues {
    static constexpr int COLUMNS_AT_ONCE = WIDTH < PART ? WIDTH : PART;

    float sums[WARPS][HEADS][COLUMNS_AT_ONCE + 1]; // one column of padding: two heads lie in different banks

    /// Lane l reads the values of four keys at columns 8 (l / 4) .. + 7 of each half: a permutation of keys and columns of
    /// the product [columns, keys] [keys, heads].
    template <class T, bool CHUNKED>
    __device__ void write(const Scores& exponential, const Paged<T, CHUNKED>& v, int split, int column, int heads) {
        constexpr int HALVES = (COLUMNS_AT_ONCE + 63) / 64;
        constexpr float SCALE = 32768; // the second number of a small exponential would be subnormal in fp16
        int lane = static_cast<int>(threadIdx.x) % WARP;
        int warp = static_cast<int>(threadIdx.x) / WARP;
        float sum[HALVES][4][4] = {};
        UNROLL_BY(1) for (int p = 0; p < PAGES; p++) {
            int from = warp * WARP_KEYS + p * PAGE;
            RowsOf<T, CHUNKED> page = v.page(split + from);
            unsigned value[HALVES][4][4];
            UNROLL for (int half = 0; half < HALVES; half++) {
                UNROLL for (int i = 0; i < 4; i++) {
                    page.read(value[half][i], lane % 4 + 4 * i, column + half * 64 + lane / 4 * 8);
                }
            }
            unsigned high[2];
            unsigned low[2];
            UNROLL for (int i = 0; i < 2; i++) {
                float rounded[2];
                float rest[2];
                UNROLL for (int j = 0; j < 2; j++) {
                    float x = exponential[lane / 4][from + lane % 4 + 4 * (2 * i + j)] * SCALE;
                    rounded[j] = to_float(from_float<T>(x));
                    rest[j] = x - rounded[j];
                }
                high[i] = pack<T>(rounded[0], rounded[1]);
                low[i] = pack<T>(rest[0], rest[1]);
            }
            UNROLL for (int half = 0; half < HALVES; half++) {
                UNROLL for (int pair = 0; pair < 4; pair++) { // of columns
                    unsigned(&x)[4][4] = value[half];
                    unsigned a[4] = {(x[0][pair] & 0xffff) | x[1][pair] << 16, x[0][pair] >> 16 | (x[1][pair] & 0xffff0000),
                                     (x[2][pair] & 0xffff) | x[3][pair] << 16, x[2][pair] >> 16 | (x[3][pair] & 0xffff0000)};
                    multiply<T>(sum[half][pair], a, high);
                    multiply<T>(sum[half][pair], a, low);
                }
            }
        }
        UNROLL for (int half = 0; half < HALVES; half++) {
            int at = half * 64 + lane / 4 * 8;
            UNROLL for (int i = 0; i < 16; i++) {
                int head = lane % 4 * 2 + i % 2;
                if (at < COLUMNS_AT_ONCE && head < heads) {
                    sums[warp][head][at + i / 2] = sum[half][i / 4][i % 4] * (1 / SCALE);
                }
            }
        }
    }

    template <bool CHUNKED>
    __device__ void write(const Scores& exponential, const Paged<float, CHUNKED>& v, int split, int column, int heads) {
        constexpr int LANES = COLUMNS_AT_ONCE <= 16 ? 4 : COLUMNS_AT_ONCE <= 32 ? 8 : COLUMNS_AT_ONCE <= 64 ? 16 : 32;
        int lane = static_cast<int>(threadIdx.x) % WARP;
        int warp = static_cast<int>(threadIdx.x) / WARP;
        int own = lane % LANES * 4;
        float sum[HEADS][4] = {};
        UNROLL_BY(1) for (int p = 0; p < PAGES; p++) {
            int from = warp * WARP_KEYS + p * PAGE;
            RowsOf<float, CHUNKED> page = v.page(split + from);
            UNROLL_BY(2) for (int i = lane / LANES; i < PAGE; i += WARP / LANES) {
                float value[4];
                page.read(value, i, column + own);
                UNROLL for (int head = 0; head < HEADS; head++) {
                    if (head < heads) {
                        UNROLL for (int e = 0; e < 4; e++) {
                            sum[head][e] += exponential[head][from + i] * value[e];
                        }
                    }
                }
            }
        }
        UNROLL for (int head = 0; head < HEADS; head++) {
            UNROLL for (int e = 0; e < 4; e++) {
                for (int lanes = LANES; lanes < WARP; lanes *= 2) {
                    sum[head][e] += __shfl_xor_sync(ALL_LANES, sum[head][e], lanes);
                }
                if (lane < LANES && own < COLUMNS_AT_ONCE && head < heads) {
                    sums[warp][head][own + e] = sum[head][e];
                }
            }
        }
    }
};

/// A text of the table, and one of the parts into which its keys are divided; text is -1 if there is none.
struct TextPart {
    int text;
    int index;

    /// The index of a text's first part, if the parts of all texts are counted: at least those of the texts before.
    static __device__ int64_t first(const TextTile* tiles, int text, int keys, int more) {
        if (tiles == nullptr) {
            return 0;
        }
        int64_t start = tiles[text].keyStart + static_cast<int64_t>(tiles[text].firstPage) * PAGE;
        return start / keys + static_cast<int64_t>(text) * (1 + more);
    }
};

/// Part blockIdx.x of all texts, of which each has one for every `keys` keys and some more. Synchronises.
__device__ static TextPart text_part(const TextTile* tiles, int texts, int keys, int more) {
    SHARED(TextPart, found);
    if (tiles == nullptr) {
        return {0, static_cast<int>(blockIdx.x)};
    }
    if (threadIdx.x == 0) {
        found = {-1, 0};
    }
    __syncthreads();
    for (int text = static_cast<int>(threadIdx.x); text < texts; text += THREADS) {
        int own = tiles[text].keys;
        int64_t index = blockIdx.x - TextPart::first(tiles, text, keys, more);
        if (own > 0 && index >= 0 && index < more + (static_cast<int64_t>(own) + keys - 1) / keys) {
            found = {text, static_cast<int>(index)};
        }
    }
    __syncthreads();
    return found;
}

/// Turns the products of one head into exponentials relative to the split's largest score, 0 for masked keys.
struct SplitSoftmax {
    SoftmaxRow row;
    float own = BELOW_ALL;
    float before = BELOW_ALL;

    /// By a warp. first .. end - 1 are the visible keys, and element 0 belongs to key `split`.
    __device__ SplitSoftmax(float* score, float* scores, const AttentionSpec& spec, int split, int first, int end,
                            int position) {
        constexpr int KEYS = SPLIT / WARP; // per lane
        int lane = static_cast<int>(threadIdx.x) % WARP;
        float x[KEYS];
        UNROLL for (int i = 0; i < KEYS; i++) {
            int key = split + lane + i * WARP;
            x[i] = BELOW_ALL;
            if (key >= first && key < end) {
                x[i] = spec.score(score[lane + i * WARP]);
                if (scores != nullptr) {
                    scores[key] = x[i];
                }
                own = key == position ? x[i] : own;
                before = key == position - 1 ? x[i] : before;
            }
            row.peak = fmaxf(row.peak, x[i]);
        }
        row.peak = warp_maximum(row.peak);
        own = warp_maximum(own);
        before = warp_maximum(before);
        UNROLL for (int i = 0; i < KEYS; i++) {
            float below = x[i] - row.peak;
            float exponential = x[i] == BELOW_ALL ? 0 : exp2f(below);
            score[lane + i * WARP] = exponential;
            row.sum += exponential;
            row.moment += exponential * below;
            row.distance += exponential * static_cast<float>(abs(position - split - lane - i * WARP));
        }
        row.gather<WARP>();
    }
};

/// What a block of attention_decode reads and writes.
template <class T>
struct Decoding {
    float* sums;
    float* numbers;
    float* scores;
    const T* q;
    const T* k;
    const T* v;
    const int* pages;
};

template <int WIDTH, bool CHUNKED, class T>
__device__ void decode_split(Scores& score, WeightedValues<WIDTH>& weighted, const Decoding<T>& x, const AttentionSpec& spec,
                             int split) {
    int group = spec.heads / spec.kvHeads;
    int rounds = (group + HEADS - 1) / HEADS;
    int kvHead = static_cast<int>(blockIdx.y) / rounds;
    int firstHead = static_cast<int>(blockIdx.y) % rounds * HEADS;
    int heads = min(HEADS, group - firstHead);
    firstHead += kvHead * group;
    int query = static_cast<int>(blockIdx.z);
    int start = split * SPLIT;
    int first = max(start, spec.firstKey(query));
    int end = min(start + SPLIT, spec.endKey(query));
    if (query >= spec.queries || first >= end) {
        return;
    }

    int64_t keyOffset = (static_cast<int64_t>(spec.keyStart) * spec.kvHeads + kvHead) * spec.headDim;
    Paged<T, CHUNKED> keys{x.k + keyOffset, x.pages == nullptr ? nullptr : x.pages + spec.firstPage,
                           static_cast<int64_t>(spec.kvHeads) * spec.headDim, first, end, spec.headDim};
    int64_t queryOffset = (static_cast<int64_t>(spec.queryStart + query) * spec.heads + firstHead) * spec.headDim;
    KeyProducts<WIDTH, T, CHUNKED>::write(score, {x.q + queryOffset, spec.headDim, 0, heads, spec.headDim}, keys, start,
                                          heads);
    __syncthreads();
    int own = static_cast<int>(threadIdx.x) / WARP; // head of the warp
    if (own < heads) {
        SplitSoftmax softmax(score[own], x.scores == nullptr ? nullptr : x.scores + spec.vector(firstHead + own), spec,
                             start, first, end, spec.position(query));
        float written[ROW_NUMBERS] = {softmax.row.peak,     softmax.row.sum, softmax.row.moment,
                                      softmax.row.distance, softmax.own,     softmax.before};
        int64_t at = (static_cast<int64_t>(query) * spec.heads + firstHead + own) * ROW_NUMBERS * gridDim.x + blockIdx.x;
        UNROLL for (int i = 0; i < ROW_NUMBERS; i++) {
            if (threadIdx.x % WARP == 0) {
                x.numbers[at + static_cast<int64_t>(i) * gridDim.x] = written[i];
            }
        }
    }
    if (x.v == nullptr) {
        return;
    }
    keys.x = x.v + keyOffset;
    int stride = (spec.headDim + 3) / 4 * 4;
    float* row = x.sums + ((static_cast<int64_t>(blockIdx.x) * gridDim.z + query) * spec.heads + firstHead) * stride;
    UNROLL_BY(1) for (int column = 0; column < WIDTH; column += PART) {
        __syncthreads(); // the exponentials are written, earlier sums have been read
        weighted.write(score, keys, start, column, heads);
        __syncthreads();
        int columns = min(PART, stride - column);
        for (int i = threadIdx.x; i < heads * columns; i += THREADS) {
            float sum = 0;
            UNROLL for (int warp = 0; warp < WARPS; warp++) {
                sum += weighted.sums[warp][i / columns][i % columns];
            }
            row[i / columns * stride + column + i % columns] = sum;
        }
    }
}

template <int WIDTH, class T>
__device__ void attention_decode(const Decoding<T>& x, const AttentionSpec& spec, int split) {
    SHARED(Scores, score);
    SHARED(WeightedValues<WIDTH>, weighted);
    if (spec.headDim % (16 / sizeof(T)) == 0) {
        decode_split<WIDTH, true>(score, weighted, x, spec, split);
    } else {
        decode_split<WIDTH, false>(score, weighted, x, spec, split);
    }
}

/// What attention_decode wrote about the splits of one row.
struct SplitNumbers {
    const float* numbers;
    int64_t splits; // of all texts
    int first;      // of this row
    int end;

    /// All numbers of the row, or only those on which the log-sum-exp depends. Synchronises.
    __device__ SoftmaxRow row(bool all) const {
        SoftmaxRow whole;
        whole.peak = maximum(0);
        for (int split = first + static_cast<int>(threadIdx.x); split < end; split += THREADS) {
            SoftmaxRow part{numbers[split], numbers[split + splits], all ? numbers[split + 2 * splits] : 0,
                            all ? numbers[split + 3 * splits] : 0};
            part.raise(whole.peak);
            whole.sum += part.sum;
            whole.moment += part.moment;
            whole.distance += part.distance;
        }
        whole.sum = block_sum(whole.sum);
        if (all) {
            whole.moment = block_sum(whole.moment);
            whole.distance = block_sum(whole.distance);
        }
        return whole;
    }

    /// The largest of the numbers with an index. Synchronises.
    __device__ float maximum(int index) const {
        float largest = BELOW_ALL;
        for (int split = first + static_cast<int>(threadIdx.x); split < end; split += THREADS) {
            largest = fmaxf(largest, numbers[split + index * splits]);
        }
        return block_maximum(largest);
    }
};

/// A row of output. Neighbouring threads own four columns each, and groups of them the splits in turn. Synchronises.
/// `row` has the row's sums over the text's first split, and step leads to the next one.
__device__ static void merge_values(float* out, const float* row, int64_t step, const SplitNumbers& splits,
                                    const FinishedRow& finished, int headDim) {
    SHARED(float[4 * THREADS], parts);
    int quads = (headDim + 3) / 4;
    int groups = THREADS / quads;
    int group = static_cast<int>(threadIdx.x) / quads;
    int column = static_cast<int>(threadIdx.x) % quads * 4;
    if (group < groups) {
        float sum[4] = {};
        UNROLL_BY(8) for (int split = splits.first + group; split < splits.end; split += groups) {
            float part[4];
            read_chunk(part, row + split * step + column);
            float weight = exp2f(splits.numbers[split] - finished.row.peak);
            UNROLL for (int e = 0; e < 4; e++) {
                sum[e] += weight * part[e];
            }
        }
        UNROLL for (int e = 0; e < 4; e++) {
            parts[group * quads * 4 + column + e] = sum[e];
        }
    }
    __syncthreads();
    for (int c = threadIdx.x; c < headDim; c += THREADS) {
        float sum = 0;
        for (int g = 0; g < groups; g++) {
            sum += parts[g * quads * 4 + c];
        }
        out[c] = sum * finished.inverse;
    }
}

/// The first part of a text merges its sums; each other part owns bin keys.
KERNEL(attention_merge_f32, THREADS, float* out, STATISTICS, float* scores, double* columnSum, double* rowSums, float* cells,
       const float* sums, const float* numbers, const float* sinks, ATTENTION_SPEC, int capacity, int texts, int splits,
       int side, int bin, int mean) {
    TextPart part = bin == 0 ? TextPart{static_cast<int>(blockIdx.x), 0} : text_part(tiles, texts, bin, 1);
    if (part.text < 0) {
        return;
    }
    int query = static_cast<int>(blockIdx.z);
    AttentionSpec spec = ATTENTION_SPEC_VALUE(part.text, query, capacity);
    if (query >= spec.queries || spec.keys == 0) {
        return;
    }
    int head = static_cast<int>(blockIdx.y);
    int position = spec.position(query);
    int64_t firstSplit = TextPart::first(tiles, part.text, SPLIT, 0);
    SplitNumbers own{numbers + (static_cast<int64_t>(query) * heads + head) * ROW_NUMBERS * splits + firstSplit, splits,
                     spec.firstKey(query) / SPLIT, (spec.endKey(query) + SPLIT - 1) / SPLIT};
    FinishedRow finished(own.row(part.index == 0), sink_score(sinks, head));
    int64_t base = spec.vector(head);
    if (part.index == 0) {
        float ownScore = own.maximum(4);
        float before = own.maximum(5);
        if (logSumExp != nullptr && threadIdx.x == 0) {
            finished.write(STATISTICS_VALUE, spec, head, query, ownScore, before);
            if (bin > 0) {
                RowSums row;
                row.add(STATISTICS_VALUE, base + position, position, spec.endKey(query));
                for (int i = 0; i < ROW_SUMS; i++) {
                    double& total = rowSums[(static_cast<int64_t>(spec.slot) * heads + head) * ROW_SUMS + i];
                    total = position == 0 ? row.x[i] : total + row.x[i];
                }
            }
        }
        if (out != nullptr) {
            int64_t stride = (headDim + 3) / 4 * 4;
            merge_values(out + (static_cast<int64_t>(spec.queryStart + query) * heads + head) * headDim,
                         sums + ((firstSplit * gridDim.z + query) * heads + head) * stride,
                         static_cast<int64_t>(gridDim.z) * heads * stride, own, finished, headDim);
        }
        return;
    }

    constexpr int AT_ONCE = ROW_KEYS / THREADS; // independent loads
    float logSum = finished.row.peak + finished.logTotal;
    int first = (part.index - 1) * bin;
    int end = min(first + bin, spec.keys);
    float peak = 0;
    float sum = 0;
    for (int from = first + static_cast<int>(threadIdx.x); from < end; from += ROW_KEYS) {
        float score[AT_ONCE];
        double column[AT_ONCE];
        UNROLL for (int i = 0; i < AT_ONCE; i++) {
            int key = from + i * THREADS;
            score[i] = key < end ? scores[base + key] : 0;
            column[i] = key < min(end, position) ? columnSum[base + key] : 0;
        }
        UNROLL for (int i = 0; i < AT_ONCE; i++) {
            int key = from + i * THREADS;
            if (key < end) {
                bool visible = key >= spec.firstKey(query) && key < spec.endKey(query);
                float probability = visible ? exp2f(score[i] - logSum) : 0;
                scores[base + key] = probability;
                columnSum[base + key] = column[i] + probability;
                peak = fmaxf(peak, probability);
                sum += probability;
            }
        }
    }
    if (cells == nullptr) {
        return;
    }
    float value = mean != 0 ? block_sum(sum) : block_maximum(peak);
    if (threadIdx.x == 0) {
        float& cell = cells[(static_cast<int64_t>(head) * side + position / bin) * side + part.index - 1];
        float before = position % bin == 0 ? 0 : cell;
        cell = mean != 0 ? before + value : fmaxf(before, value);
    }
}

#define ATTENTION_DECODE(WIDTH, NAME, T) \
    KERNEL(attention_decode_##NAME##_d##WIDTH, THREADS, float* sums, float* numbers, float* scores, const T* q, \
           const T* k, const T* v, const int* pages, ATTENTION_SPEC, int capacity, int texts) { \
        TextPart part = text_part(tiles, texts, SPLIT, 0); \
        if (part.text >= 0) { \
            attention_decode<WIDTH>(Decoding<T>{sums, numbers, scores, q, k, v, pages}, \
                                    ATTENTION_SPEC_VALUE(part.text, 0, capacity), part.index); \
        } \
    }
#define ALL(WIDTH) \
    ATTENTION_DECODE(WIDTH, f32, float) ATTENTION_DECODE(WIDTH, bf16, Bf16) ATTENTION_DECODE(WIDTH, f16, F16)
FOR_EACH_WIDTH(ALL)
