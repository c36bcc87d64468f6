// Attention of a few queries over many keys. The keys are split across blocks so that the whole device is busy.
//
//   decode   sums over one split: exponentials relative to the split's maximum times v, and the row of softmax_row.cuh
//   merge    combines the sums of the splits, in order, into the results of attention_forward.cu
//   row      of a single query: turns its scores into probabilities, adds them to the column sums and to the atlas, and
//            its statistics to the sums of attention_sums.cu
//
//   p_j = exp(s_j - logSumExp)    columnSum_j (+)= p_j    cells[i / bin, b] = maximum or sum of p_j over the j of cell b
//                                                         and of its earlier value if earlier tokens lie in it
//
// In      q [queries, heads * headDim]; k, v [keys, kvHeads * headDim], or with pages [16 * pages, kvHeads * headDim]: key i of
//         a text is row i % 16 of page pages[firstPage + i / 16]; pages, int, or null; sinks [heads], fp32, or null. 16-bit tensors
//         are aligned to 16 bytes. splits = ceil(keys / attention_decode_keys)
//         v is null if only statistics are needed; then out is null, too. scores is null unless row follows
//         row: cells is null without an atlas; keys <= gridDim.x * bin, and one text with an atlas; mean is 0 for the maximum, else 1
// Out     decode: sums [splits, queries, heads * headDim]; rows [splits, queries, heads, 6]; scores [heads, capacity] of
//         the visible keys, in units of log 2; fp32
//         merge: out [queries, heads * headDim]; the statistics as attention_forward.cu; fp32
//         row: scores [heads, capacity], now probabilities of all keys; columnSum [heads, capacity], fp64: set for the
//         new key, added to for the others; sums [heads, 7], fp64: set for the first token, else added to; cells [heads,
//         side, side]: every element of the new token's row of cells
// Launch  decode: grid x = splits of the longest text, y = heads, z = queries of all texts; block
//         attention_decode_threads;
//         merge: grid x = queries of all texts, y = heads; block attention_merge_threads;
//         row: grid x = side, or without an atlas ceil(keys of the longest text / bin), y = heads, z = texts; block min(attention_row_threads, bin
//         rounded up to 32)
// Cost    decode: the bytes of the visible k and v, per query head; merge: 4 splits headDim bytes per row;
//         row: 24 keys bytes per head
// Rounds  fp32, in a fixed order, bit-reproducible; exponentials stay fp32. row: probabilities as in
//         attention_columns.cu
// See     Backend.attention, AttentionAtlas, test/attention_decode_test.cpp, test/attention_atlas_test.cpp
#include "block.cuh"
#include "row_sums.cuh"
#include "tensor_core.cuh"

constexpr int THREADS = 128;
constexpr int SPLIT = 256;      // keys
constexpr int LANES_OF_KEY = 8; // lanes that multiply one key with the query
constexpr int PAGE = 16;        // keys; PageTable.TOKENS
constexpr int ROW_NUMBERS = 6;  // per row of a split: peak, sum, moment, distance, own and previous token's scores

EXPORT(attention_decode_threads, THREADS);
EXPORT(attention_decode_keys, SPLIT);
EXPORT(attention_decode_page, PAGE);
EXPORT(attention_merge_threads, THREADS);
EXPORT(attention_row_threads, THREADS);

/// 16 bytes of a row, converted to fp32; 0 beyond the head's width.
template <class T>
struct Piece {
    static constexpr int LENGTH = 16 / sizeof(T);

    float x[LENGTH];

    __device__ Piece(const T* row, int column, int headDim) {
        alignas(16) T loaded[LENGTH];
        if (headDim % LENGTH == 0) {
            UNROLL for (int e = 0; e < LENGTH; e++) {
                x[e] = 0;
            }
            if (column < headDim) {
                read_chunk(loaded, row + column);
                UNROLL for (int e = 0; e < LENGTH; e++) {
                    x[e] = to_float(loaded[e]);
                }
            }
        } else {
            UNROLL for (int e = 0; e < LENGTH; e++) {
                x[e] = column + e < headDim ? to_float(row[column + e]) : 0;
            }
        }
    }
};

/// Where the keys of a text lie, and likewise its values.
struct KeyPlaces {
    const int* pages; // of the text; null if its keys follow one another
    int64_t stride;

    __device__ int64_t offset(int key) const {
        int64_t row = pages == nullptr ? key : static_cast<int64_t>(pages[key / PAGE]) * PAGE + key % PAGE;
        return row * stride;
    }
};

/// Scores of the keys first .. end - 1, in units of log 2. Neighbouring lanes share a key.
template <int WIDTH, class T>
__device__ void score_keys(float (&score)[SPLIT], const AttentionSpec& spec, const T* q, const T* k,
                           const KeyPlaces& places, int first, int end) {
    constexpr int STEP = LANES_OF_KEY * Piece<T>::LENGTH;
    constexpr int PIECES = (WIDTH + STEP - 1) / STEP;
    int lane = threadIdx.x % LANES_OF_KEY;
    float query[PIECES][Piece<T>::LENGTH];
    UNROLL for (int p = 0; p < PIECES; p++) {
        Piece<T> piece(q, p * STEP + lane * Piece<T>::LENGTH, spec.headDim);
        UNROLL for (int e = 0; e < Piece<T>::LENGTH; e++) {
            query[p][e] = piece.x[e];
        }
    }
    constexpr int KEYS = THREADS / LANES_OF_KEY; // processed at once
    UNROLL_BY(4) for (int i = 0; i < SPLIT; i += KEYS) {
        int key = first + i + static_cast<int>(threadIdx.x) / LANES_OF_KEY;
        float sum = 0;
        if (key < end) {
            UNROLL for (int p = 0; p < PIECES; p++) {
                Piece<T> piece(k + places.offset(key), p * STEP + lane * Piece<T>::LENGTH, spec.headDim);
                UNROLL for (int e = 0; e < Piece<T>::LENGTH; e++) {
                    sum += query[p][e] * piece.x[e];
                }
            }
        }
        sum = warp_sum<LANES_OF_KEY>(sum);
        if (lane == 0 && key < end) {
            score[key - first] = spec.score(sum);
        }
    }
}

/// Turns scores into exp2(score - peak). Synchronises.
__device__ static SoftmaxRow softmax_split(float (&score)[SPLIT], int count, int first, int position) {
    SoftmaxRow row;
    for (int i = threadIdx.x; i < count; i += THREADS) {
        row.peak = fmaxf(row.peak, score[i]);
    }
    row.peak = block_maximum(row.peak);
    for (int i = threadIdx.x; i < count; i += THREADS) {
        float below = score[i] - row.peak;
        score[i] = exp2f(below);
        row.sum += score[i];
        row.moment += score[i] * below;
        row.distance += score[i] * abs(position - first - i);
    }
    row.sum = block_sum(row.sum);
    row.moment = block_sum(row.moment);
    row.distance = block_sum(row.distance);
    return row;
}

/// The exponentials of a split times its values. The threads of a group own the columns of one key at a time.
template <int WIDTH, class T>
__device__ void weigh_values(float* sums, const float (&exponential)[SPLIT], const T* v, const KeyPlaces& places, int headDim,
                             int first, int count) {
    constexpr int PIECES = WIDTH / Piece<T>::LENGTH;
    constexpr int GROUPS = THREADS / PIECES;
    SHARED(float[GROUPS][WIDTH], parts);
    int group = static_cast<int>(threadIdx.x) / PIECES;
    int column = static_cast<int>(threadIdx.x) % PIECES * Piece<T>::LENGTH;
    if (group < GROUPS) {
        float part[Piece<T>::LENGTH] = {};
        UNROLL_BY(4) for (int i = group; i < count; i += GROUPS) {
            Piece<T> piece(v + places.offset(first + i), column, headDim);
            UNROLL for (int e = 0; e < Piece<T>::LENGTH; e++) {
                part[e] += exponential[i] * piece.x[e];
            }
        }
        UNROLL for (int e = 0; e < Piece<T>::LENGTH; e++) {
            parts[group][column + e] = part[e];
        }
    }
    __syncthreads();
    for (int c = threadIdx.x; c < headDim; c += THREADS) {
        float sum = 0;
        for (int g = 0; g < GROUPS; g++) {
            sum += parts[g][c];
        }
        sums[c] = sum;
    }
}

template <int WIDTH, class T>
__device__ void attention_decode(float* sums, float* rows, float* scores, const T* q, const T* k, const T* v,
                                 const int* pages, const AttentionSpec& spec) {
    SHARED(float[SPLIT], score);
    int head = blockIdx.y;
    int query = spec.tile;
    int position = spec.position(query);
    int first = max(static_cast<int>(blockIdx.x) * SPLIT, spec.firstKey(query));
    int end = min((static_cast<int>(blockIdx.x) + 1) * SPLIT, spec.endKey(query));
    int count = max(0, end - first);
    KeyPlaces places{pages == nullptr ? nullptr : pages + spec.firstPage,
                     static_cast<int64_t>(spec.kvHeads) * spec.headDim};
    int64_t keyOffset = (static_cast<int64_t>(spec.keyStart) * spec.kvHeads + spec.kvHead(head)) * spec.headDim;
    int64_t row = (static_cast<int64_t>(blockIdx.x) * gridDim.z + blockIdx.z) * spec.heads + head;
    if (static_cast<int64_t>(blockIdx.x) * SPLIT >= spec.keys) {
        return; // another text has more keys
    }

    const T* own = q + (static_cast<int64_t>(spec.queryStart + query) * spec.heads + head) * spec.headDim;
    score_keys<WIDTH>(score, spec, own, k + keyOffset, places, first, end);
    __syncthreads();
    float ownScore = position >= first && position < end ? score[position - first] : BELOW_ALL;
    float beforeScore = position > first && position <= end ? score[position - 1 - first] : BELOW_ALL;
    if (scores != nullptr) {
        for (int i = threadIdx.x; i < count; i += THREADS) {
            scores[spec.vector(head) + first + i] = score[i];
        }
    }
    SoftmaxRow sum = softmax_split(score, count, first, position);
    if (threadIdx.x == 0) {
        float numbers[ROW_NUMBERS] = {sum.peak, sum.sum, sum.moment, sum.distance, ownScore, beforeScore};
        for (int i = 0; i < ROW_NUMBERS; i++) {
            rows[row * ROW_NUMBERS + i] = numbers[i];
        }
    }
    if (v != nullptr) {
        weigh_values<WIDTH>(sums + row * spec.headDim, score, v + keyOffset, places, spec.headDim, first, count);
    }
}

KERNEL(attention_merge_f32, THREADS, float* out, STATISTICS, const float* sums, const float* rows, const float* sinks,
       ATTENTION_SPEC, int capacity) {
    AttentionSpec spec = ATTENTION_SPEC_VALUE(blockIdx.x, static_cast<int>(blockIdx.x), capacity);
    int query = spec.tile;
    int head = blockIdx.y;
    int64_t first = static_cast<int64_t>(blockIdx.x) * spec.heads + head;
    int64_t step = static_cast<int64_t>(gridDim.x) * spec.heads;
    int splits = (spec.keys + SPLIT - 1) / SPLIT;
    SoftmaxRow whole;
    float own = BELOW_ALL;
    float before = BELOW_ALL;
    for (int split = 0; split < splits; split++) {
        const float* numbers = rows + (first + split * step) * ROW_NUMBERS;
        SoftmaxRow part{numbers[0], numbers[1], numbers[2], numbers[3]};
        float peak = fmaxf(whole.peak, part.peak);
        whole.raise(peak);
        part.raise(peak);
        whole.sum += part.sum;
        whole.moment += part.moment;
        whole.distance += part.distance;
        own = fmaxf(own, numbers[4]);
        before = fmaxf(before, numbers[5]);
    }
    FinishedRow finished(whole, sink_score(sinks, head));
    if (logSumExp != nullptr && threadIdx.x == 0) {
        finished.write(STATISTICS_VALUE, spec, head, query, own, before);
    }
    if (out == nullptr) {
        return;
    }
    for (int c = threadIdx.x; c < spec.headDim; c += THREADS) {
        float sum = 0;
        for (int split = 0; split < splits; split++) {
            int64_t row = first + split * step;
            sum += sums[row * spec.headDim + c] * exp2f(rows[row * ROW_NUMBERS] - finished.row.peak);
        }
        out[(static_cast<int64_t>(spec.queryStart + query) * spec.heads + head) * spec.headDim + c] = sum * finished.inverse;
    }
}

/// A block owns the keys of one cell.
KERNEL(attention_row_f32, THREADS, float* scores, double* columnSum, double* sums, float* cells, STATISTICS,
       ATTENTION_SPEC, int capacity, int side, int bin, int mean) {
    AttentionSpec spec = ATTENTION_SPEC_VALUE(blockIdx.z, 0, capacity);
    int position = spec.position(0);
    int head = static_cast<int>(blockIdx.y);
    int64_t base = spec.vector(head);
    float logSum = logSumExp[base + position] * LOG2_E;
    int first = static_cast<int>(blockIdx.x) * bin;
    int end = min(first + bin, spec.keys);
    float peak = 0;
    float sum = 0;
    for (int key = first + static_cast<int>(threadIdx.x); key < end; key += blockDim.x) {
        bool visible = key >= spec.firstKey(0) && key < spec.endKey(0);
        float probability = visible ? exp2f(scores[base + key] - logSum) : 0;
        scores[base + key] = probability;
        columnSum[base + key] = (key < position ? columnSum[base + key] : 0) + probability;
        peak = fmaxf(peak, probability);
        sum += probability;
    }
    if (blockIdx.x == 0 && threadIdx.x == 0) {
        RowSums row;
        row.add(STATISTICS_VALUE, base + position, position, spec.endKey(0));
        for (int i = 0; i < ROW_SUMS; i++) {
            double& total = sums[(static_cast<int64_t>(spec.slot) * heads + head) * ROW_SUMS + i];
            total = position == 0 ? row.x[i] : total + row.x[i];
        }
    }
    if (cells == nullptr) {
        return;
    }
    float value = mean != 0 ? block_sum(sum) : block_maximum(peak);
    if (threadIdx.x == 0) {
        float& cell = cells[(static_cast<int64_t>(head) * side + position / bin) * side + blockIdx.x];
        float before = position % bin == 0 ? 0 : cell;
        cell = mean != 0 ? before + value : fmaxf(before, value);
    }
}

#define ATTENTION_DECODE(WIDTH, NAME, T) \
    KERNEL(attention_decode_##NAME##_d##WIDTH, THREADS, float* sums, float* rows, float* scores, const T* q, \
           const T* k, const T* v, const int* pages, ATTENTION_SPEC, int capacity) { \
        attention_decode<WIDTH>(sums, rows, scores, q, k, v, pages, \
                                ATTENTION_SPEC_VALUE(blockIdx.z, static_cast<int>(blockIdx.z), capacity)); \
    }
#define ALL(WIDTH) \
    ATTENTION_DECODE(WIDTH, f32, float) ATTENTION_DECODE(WIDTH, bf16, Bf16) ATTENTION_DECODE(WIDTH, f16, F16)
FOR_EACH_WIDTH(ALL)
