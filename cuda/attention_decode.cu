// Attention of a few queries over many keys, first part: sums over splits of the keys, which attention_merge.cu combines.
// The splits make the whole device busy. The query heads that share a key head are computed together, so that k and v are
// read once.
//
//   sums      exponentials relative to the split's largest score, times v
//   numbers   the row of softmax_row.cuh and the scores of the query's own and the previous token
//
// In      q [queries, heads * headDim]; k, v [keys, kvHeads * headDim], or with pages [16 * pages, kvHeads * headDim]: key
//         i of a text is row i % 16 of page pages[firstPage + i / 16]; pages, int, or null. 16-bit tensors are aligned to
//         16 bytes. v is null if only statistics are needed
//         tiles has one entry per text; the keys (or pages) of the texts follow one another in the order of the entries,
//         gaps are allowed. A text without keys has no blocks
// Out     sums [splits, most queries, heads, headDim rounded up to 4]; numbers [most queries, heads, 6, splits]; scores
//         [heads, capacity] of the visible keys, in units of log 2, or null; fp32; splits without visible keys are not
//         written
// Launch  grid x = kvHeads * ceil(heads / kvHeads / attention_decode_heads), so that blocks that run together read whole rows;
//         y = splits, counted over all texts by attention_splits.cuh, or more; z = most queries of a text; block
//         attention_decode_threads
// Cost    the bytes of the visible k and v
// Rounds  fp32, in a fixed order that depends on the text alone, bit-reproducible; the exponentials that are multiplied
//         with 16-bit values are the sum of two 16-bit numbers: relative error 2^-17
// See     Backend.attention, test/attention_decode_test.cpp, test/attention_packed_test.cpp
#include "attention_decode.cuh"

static_assert(HEADS == WARPS, "a warp reduces the scores of one head");

EXPORT(attention_decode_threads, THREADS);
EXPORT(attention_decode_keys, SPLIT);
EXPORT(attention_decode_heads, HEADS);
EXPORT(attention_decode_page, PAGE);

/// Turns the products of one head into exponentials relative to the split's largest score, 0 for masked keys.
struct SplitSoftmax : SplitRow {
    /// By a warp. first .. end - 1 are the visible keys, and element 0 belongs to key `split`.
    __device__ SplitSoftmax(float* score, float* scores, const AttentionSpec& spec, int split, int first, int end,
                            int position) {
        int lane = static_cast<int>(threadIdx.x) % WARP;
        UNROLL_BY(4) for (int i = lane; i < SPLIT; i += WARP) {
            int key = split + i;
            float x = BELOW_ALL;
            if (key >= first && key < end) {
                x = spec.score(score[i]);
                if (scores != nullptr) {
                    scores[key] = x;
                }
                own = key == position ? x : own;
                before = key == position - 1 ? x : before;
            }
            score[i] = x;
            row.peak = fmaxf(row.peak, x);
        }
        row.peak = warp_maximum(row.peak);
        own = warp_maximum(own);
        before = warp_maximum(before);
        UNROLL_BY(4) for (int i = lane; i < SPLIT; i += WARP) {
            float below = score[i] - row.peak;
            float exponential = score[i] == BELOW_ALL ? 0 : exp2f(below);
            score[i] = exponential;
            row.sum += exponential;
            row.moment += exponential * below;
            row.distance += exponential * static_cast<float>(abs(position - split - i));
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
    int kvHead = static_cast<int>(blockIdx.x) / rounds;
    int firstHead = static_cast<int>(blockIdx.x) % rounds * HEADS;
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
                           spec.kvHeads * spec.headDim, first, end, spec.headDim};
    keys.request(start);
    if (x.v != nullptr) {
        Paged<T, CHUNKED>{x.v + keyOffset, keys.pages, keys.stride, first, end, spec.headDim}.request(start);
    }
    int64_t queryOffset = (static_cast<int64_t>(spec.queryStart + query) * spec.heads + firstHead) * spec.headDim;
    KeyProducts<WIDTH, T, CHUNKED>::write(score, {x.q + queryOffset, spec.headDim, 0, heads, spec.headDim}, keys, start,
                                          heads);
    __syncthreads();
    int own = static_cast<int>(threadIdx.x) / WARP; // head of the warp
    if (own < heads) {
        SplitSoftmax softmax(score[own], x.scores == nullptr ? nullptr : x.scores + spec.vector(firstHead + own), spec,
                             start, first, end, spec.position(query));
        int64_t at = (static_cast<int64_t>(query) * spec.heads + firstHead + own) * ROW_NUMBERS * gridDim.y + blockIdx.y;
        if (threadIdx.x % WARP == 0) {
            softmax.write(x.numbers + at, gridDim.y);
        }
    }
    if (x.v == nullptr) {
        return;
    }
    keys.x = x.v + keyOffset;
    int stride = static_cast<int>(sums_stride(spec.headDim));
    float* row = x.sums + ((static_cast<int64_t>(blockIdx.y) * gridDim.z + query) * spec.heads + firstHead) * stride;
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

#define ATTENTION_DECODE(WIDTH, NAME, T) \
    KERNEL(attention_decode_##NAME##_d##WIDTH, THREADS, float* sums, float* numbers, float* scores, const T* q, \
           const T* k, const T* v, const int* pages, ATTENTION_SPEC, int capacity, int texts) { \
        TextPart part = text_part(tiles, texts, SPLIT, 0, blockIdx.y); \
        if (part.text >= 0) { \
            attention_decode<WIDTH>(Decoding<T>{sums, numbers, scores, q, k, v, pages}, \
                                    ATTENTION_SPEC_VALUE(part.text, 0, capacity), part.index); \
        } \
    }
#define ALL(WIDTH) \
    ATTENTION_DECODE(WIDTH, f32, float) ATTENTION_DECODE(WIDTH, bf16, Bf16) ATTENTION_DECODE(WIDTH, f16, F16)
FOR_EACH_WIDTH(ALL)
