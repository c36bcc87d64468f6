// Attention of a few queries over many keys, second part: combines what attention_decode.cu wrote about the splits into the
// results of attention_forward.cu. Of a single query, it also turns the scores into probabilities, adds them to the column
// sums and to the atlas, and the statistics to the sums of attention_sums.cu.
//
//   p_j = exp(s_j - logSumExp)    columnSum_j (+)= p_j    cells[i / bin, b] = maximum or sum of the p_j of cell b and of
//                                                         the cell's value, if it already contains tokens
//
// In      sums, numbers and scores of attention_decode.cu, whose grid y is splits; sums and all outs are null if only statistics
//         are needed; sinks [heads], fp32, or null; tiles as in attention_decode.cu
//         bin = keys per block that adds probabilities, tokens per cell with an atlas, or 0 if there are no scores; side
//         and mean are those of an atlas: one text, keys <= side * bin, mean is 0 for the maximum, else 1; cells is null
//         without one
// Out     out [queries, heads * headDim], fp32, or the same, rounded, in outBf16 or outF16; the statistics as
//         attention_forward.cu, fp32; scores, now probabilities of all keys; columnSum [heads, capacity], fp64: set for the new
//         key, added to for the others; rowSums [slots, heads, 7], fp64: set for the first token, else added to; cells
//         [heads, side, side]: every element of the new token's row of cells; newest [slots, heads, 2], fp32, or null: the
//         log-sum-exp of a single query in units of log 2 and its first visible key, for attention_add_rows.cu
// Launch  grid x = texts if bin is 0; 1 + side with an atlas; else the parts of bin keys and one more per text, counted by
//         attention_splits.cuh, or more; y = heads, or ceil(heads / attention_merge_heads) if bin is 0 and no text has more
//         keys than attention_merge_few splits; z = most queries of a text; block attention_merge_threads
// Cost    4 splits headDim bytes per head, and for a single query 24 keys bytes per head
// Rounds  fp32, in a fixed order that depends on the text alone, bit-reproducible; probabilities as in attention_columns.cu
// See     Backend.attention, AttentionAtlas, test/attention_decode_test.cpp, test/attention_atlas_test.cpp,
//         test/attention_packed_test.cpp
#include "attention_splits.cuh"
#include "row_sums.cuh"
#include "tensor_core.cuh"

constexpr int THREADS = 256;
constexpr int WARPS = THREADS / WARP;
constexpr int FEW = WARP;      // splits of a row that one warp merges, without a barrier
constexpr int RESIDENT = 4;    // blocks per multiprocessor, which request 48 KB of scores and column sums
constexpr int ROW_KEYS = 1024; // of a block that adds probabilities to column sums

EXPORT(attention_merge_threads, THREADS);
EXPORT(attention_merge_keys, ROW_KEYS);
EXPORT(attention_merge_heads, WARPS);
EXPORT(attention_merge_few, FEW);

/// What attention_decode wrote about the splits of one row.
struct SplitNumbers {
    const float* numbers;
    int64_t splits; // of all texts
    int first;      // of this row
    int end;

    __device__ bool few() const {
        return end - first <= FEW;
    }

    /// Returns the whole row to every thread. Up to FEW splits are combined by each warp alone; for more, synchronises.
    __device__ SplitRow row(bool all) const {
        SHARED(float[ROW_NUMBERS][WARPS], parts);
        int lane = static_cast<int>(threadIdx.x) % WARP;
        SplitRow own;
        UNROLL_BY(2) for (int split = first + (few() ? lane : static_cast<int>(threadIdx.x)); split < end; split += THREADS) {
            own.add(SplitRow::read(numbers + split, splits, all));
        }
        own.gather<WARP>(all);
        if (few()) {
            return own;
        }
        if (lane == 0) {
            own.write(&parts[0][threadIdx.x / WARP], WARPS);
        }
        __syncthreads();
        SplitRow whole = SplitRow::read(&parts[0][lane % WARPS], WARPS, all);
        whole.gather<WARPS>(all);
        return whole;
    }

    /// The factor of a split's sums in those of the row.
    __device__ float weight(int split, const FinishedRow& finished) const {
        return exp2f(numbers[split] - finished.row.peak);
    }
};

/// Where the output goes: one of the three, or none is there.
struct MergedOutput {
    float* exact;
    Bf16* bf16;
    F16* f16;

    __device__ bool there() const {
        return exact != nullptr || bf16 != nullptr || f16 != nullptr;
    }

    __device__ void write(int64_t element, float x) const {
        if (exact != nullptr) {
            exact[element] = x;
        } else if (bf16 != nullptr) {
            bf16[element] = from_float<Bf16>(x);
        } else {
            f16[element] = from_float<F16>(x);
        }
    }
};

/// A row of output, from its element `at` on. `sums` points at the row's sums over the text's first split; the next split's are
/// `step` elements further.
struct MergedRow {
    MergedOutput out;
    int64_t at;
    const float* sums;
    int64_t step;
    int headDim;

    /// Of few splits, by a warp. A lane sums four columns.
    __device__ void write_few(const SplitNumbers& splits, const FinishedRow& finished) const {
        constexpr int AT_ONCE = 4; // independent loads
        static_assert(FEW % AT_ONCE == 0, "every split of the loop has a lane");
        int lane = static_cast<int>(threadIdx.x) % WARP;
        float own = splits.first + lane < splits.end ? splits.weight(splits.first + lane, finished) : 0;
        for (int from = 0; from < headDim; from += WARP * QUAD) {
            int column = from + lane * QUAD;
            float sum[QUAD] = {};
            UNROLL_BY(1) for (int split = splits.first; split < splits.end; split += AT_ONCE) {
                float part[AT_ONCE][QUAD] = {};
                UNROLL for (int i = 0; i < AT_ONCE; i++) {
                    if (split + i < splits.end && column < headDim) {
                        read_chunk(part[i], sums + (split + i) * step + column);
                    }
                }
                UNROLL for (int i = 0; i < AT_ONCE; i++) {
                    float weight = __shfl_sync(ALL_LANES, own, split + i - splits.first);
                    UNROLL for (int e = 0; e < QUAD; e++) {
                        sum[e] += weight * part[i][e];
                    }
                }
            }
            UNROLL for (int e = 0; e < QUAD; e++) {
                if (column + e < headDim) {
                    out.write(at + column + e, sum[e] * finished.inverse);
                }
            }
        }
    }

    /// By a block. A thread sums four columns over every groups-th split. Synchronises.
    __device__ void write_many(const SplitNumbers& splits, const FinishedRow& finished) const {
        SHARED(float[QUAD * THREADS], parts);
        int quads = (headDim + QUAD - 1) / QUAD;
        int groups = THREADS / quads;
        int group = static_cast<int>(threadIdx.x) / quads;
        int column = static_cast<int>(threadIdx.x) % quads * QUAD;
        if (group < groups) {
            float sum[QUAD] = {};
            UNROLL_BY(8) for (int split = splits.first + group; split < splits.end; split += groups) {
                float part[QUAD];
                read_chunk(part, sums + split * step + column);
                float weight = splits.weight(split, finished);
                UNROLL for (int e = 0; e < QUAD; e++) {
                    sum[e] += weight * part[e];
                }
            }
            UNROLL for (int e = 0; e < QUAD; e++) {
                parts[group * quads * QUAD + column + e] = sum[e];
            }
        }
        __syncthreads();
        for (int c = threadIdx.x; c < headDim; c += THREADS) {
            float sum = 0;
            for (int g = 0; g < groups; g++) {
                sum += parts[g * quads * QUAD + c];
            }
            out.write(at + c, sum * finished.inverse);
        }
    }
};

/// Part 0 of a text merges its sums. If they are of few splits, each warp merges a head, and only the first ceil(heads / WARPS) blocks
/// work. Each other part owns bin keys.
RESIDENT_KERNEL(attention_merge_f32, THREADS, RESIDENT, float* out, Bf16* outBf16, F16* outF16, STATISTICS, float* newest,
                float* scores, double* columnSum, double* rowSums, float* cells, const float* sums, const float* numbers,
                const float* sinks, ATTENTION_SPEC, int capacity, int texts, int splits, int side, int bin, int mean) {
    TextPart part = bin == 0 ? TextPart{static_cast<int>(blockIdx.x), 0} : text_part(tiles, texts, bin, 1, blockIdx.x);
    if (part.text < 0) {
        return;
    }
    int query = static_cast<int>(blockIdx.z);
    AttentionSpec spec = ATTENTION_SPEC_VALUE(part.text, query, capacity);
    if (query >= spec.queries || spec.keys == 0) {
        return;
    }
    int position = spec.position(query);
    SplitNumbers own{numbers, splits, spec.firstKey(query) / SPLIT, (spec.endKey(query) + SPLIT - 1) / SPLIT};
    bool merges = part.index == 0;
    bool warpHeads = merges && own.few();
    int thread = static_cast<int>(threadIdx.x);
    int head = static_cast<int>(blockIdx.y) * (warpHeads ? WARPS : 1) + (warpHeads ? thread / WARP : 0);
    if (head >= heads) {
        return;
    }
    int64_t firstSplit = TextPart::first(tiles, part.text, SPLIT, 0);
    own.numbers += (static_cast<int64_t>(query) * heads + head) * ROW_NUMBERS * splits + firstSplit;
    float sink = sink_score(sinks, head);
    int64_t base = spec.vector(head);
    int first = merges ? 0 : (part.index - 1) * bin;
    int end = merges ? 0 : min(first + bin, spec.keys);
    constexpr int AT_ONCE = ROW_KEYS / THREADS; // independent loads
    float score[AT_ONCE];
    double column[AT_ONCE];
    auto read = [&](int from) {
        UNROLL for (int i = 0; i < AT_ONCE; i++) {
            int key = from + i * THREADS;
            score[i] = key < end ? scores[base + key] : 0;
            column[i] = key < min(end, position) ? columnSum[base + key] : 0;
        }
    };
    read(first + thread); // before the numbers of all splits are known
    SplitRow whole = own.row(merges);
    FinishedRow finished(whole.row, sink);
    float logSum = finished.row.peak + finished.logTotal;
    if (merges) {
        int64_t stride = sums_stride(headDim);
        MergedRow row{{out, outBf16, outF16},
                      (static_cast<int64_t>(spec.queryStart + query) * heads + head) * headDim,
                      sums + ((firstSplit * gridDim.z + query) * heads + head) * stride,
                      static_cast<int64_t>(gridDim.z) * heads * stride,
                      headDim};
        if (!row.out.there()) {
            // only statistics are needed
        } else if (warpHeads) {
            row.write_few(own, finished);
        } else {
            row.write_many(own, finished);
        }
        if (logSumExp != nullptr && thread % (warpHeads ? WARP : THREADS) == 0) {
            finished.write(STATISTICS_VALUE, spec, head, query, whole.own, whole.before);
            int64_t slotHead = static_cast<int64_t>(spec.slot) * heads + head;
            if (newest != nullptr) {
                newest[2 * slotHead] = logSum;
                newest[2 * slotHead + 1] = static_cast<float>(spec.firstKey(query));
            }
            if (bin > 0) {
                RowSums terms;
                terms.add(STATISTICS_VALUE, base + position, position, spec.endKey(query));
                terms.add_to(rowSums + slotHead * ROW_SUMS, position == 0);
            }
        }
        return;
    }

    float peak = 0;
    float sum = 0;
    for (int from = first + thread; from < end; from += ROW_KEYS) {
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
        read(from + ROW_KEYS);
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
