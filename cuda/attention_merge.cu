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
//         attention_splits.cuh, or more; y = heads, z = most queries of a text; block attention_merge_threads
// Cost    4 splits headDim bytes per head, and for a single query 24 keys bytes per head
// Rounds  fp32, in a fixed order that depends on the text alone, bit-reproducible; probabilities as in attention_columns.cu
// See     Backend.attention, AttentionAtlas, test/attention_decode_test.cpp, test/attention_atlas_test.cpp,
//         test/attention_packed_test.cpp
#include "attention_splits.cuh"
#include "row_sums.cuh"
#include "tensor_core.cuh"

constexpr int THREADS = 256;
constexpr int ROW_KEYS = 1024; // of a block that adds probabilities to column sums

EXPORT(attention_merge_threads, THREADS);
EXPORT(attention_merge_keys, ROW_KEYS);

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

/// Writes a row of output. A thread sums four columns over every groups-th split. `row` points at the row's sums over the
/// text's first split; the next split's are `step` elements further. Synchronises.
template <class O>
__device__ void merge_values(O* out, const float* row, int64_t step, const SplitNumbers& splits, const FinishedRow& finished,
                             int headDim) {
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
        out[c] = from_float<O>(sum * finished.inverse);
    }
}

/// The first part of a text merges its sums; each other part owns bin keys.
KERNEL(attention_merge_f32, THREADS, float* out, Bf16* outBf16, F16* outF16, STATISTICS, float* newest, float* scores,
       double* columnSum, double* rowSums, float* cells, const float* sums, const float* numbers, const float* sinks,
       ATTENTION_SPEC, int capacity, int texts, int splits, int side, int bin, int mean) {
    TextPart part = bin == 0 ? TextPart{static_cast<int>(blockIdx.x), 0} : text_part(tiles, texts, bin, 1, blockIdx.x);
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
    int64_t base = spec.vector(head);
    int first = max(part.index - 1, 0) * bin;
    int end = part.index == 0 ? first : min(first + bin, spec.keys);
    constexpr int LINE_DOUBLES = 128 / sizeof(double);
    for (int key = first + static_cast<int>(threadIdx.x) * LINE_DOUBLES; key < end; key += THREADS * LINE_DOUBLES) {
        prefetch(columnSum + base + key); // needed once the numbers of all splits are known
    }
    FinishedRow finished(own.row(part.index == 0), sink_score(sinks, head));
    float logSum = finished.row.peak + finished.logTotal;
    if (part.index == 0) {
        float ownScore = own.maximum(4);
        float before = own.maximum(5);
        if (logSumExp != nullptr && threadIdx.x == 0) {
            finished.write(STATISTICS_VALUE, spec, head, query, ownScore, before);
            int64_t slotHead = static_cast<int64_t>(spec.slot) * heads + head;
            if (newest != nullptr) {
                newest[2 * slotHead] = logSum;
                newest[2 * slotHead + 1] = static_cast<float>(spec.firstKey(query));
            }
            if (bin > 0) {
                RowSums row;
                row.add(STATISTICS_VALUE, base + position, position, spec.endKey(query));
                row.add_to(rowSums + slotHead * ROW_SUMS, position == 0);
            }
        }
        int64_t stride = sums_stride(headDim);
        int64_t at = (static_cast<int64_t>(spec.queryStart + query) * heads + head) * headDim;
        const float* row = sums + ((firstSplit * gridDim.z + query) * heads + head) * stride;
        int64_t step = static_cast<int64_t>(gridDim.z) * heads * stride;
        if (out != nullptr) {
            merge_values(out + at, row, step, own, finished, headDim);
        } else if (outBf16 != nullptr) {
            merge_values(outBf16 + at, row, step, own, finished, headDim);
        } else if (outF16 != nullptr) {
            merge_values(outF16 + at, row, step, own, finished, headDim);
        }
        return;
    }

    constexpr int AT_ONCE = ROW_KEYS / THREADS; // independent loads
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
