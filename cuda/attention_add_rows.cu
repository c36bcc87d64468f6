// Adds the newest row of each of several texts, whose scores attention_decode.cu has left in memory, to the column sums and
// to the sums of attention_sums.cu, of all layers in one launch. Decoding steps that run ahead of the host add a row one
// step late, when the host has decided that its token belongs to the text.
//
//   columnSum_j (+)= exp(s_j - logSumExp)    rowSums (+)= the terms of attention_sums.cu
//
// In      the statistics of attention_forward.cu and scores, fp32 [layers, layer], where those of a text are [heads, capacity]
//         from element tiles[i].statistics of a layer on; newest [layers, slots, heads, 2] of attention_merge.cu;
//         tiles [texts], whose newest key is the row's own; steps [texts], int: a text with 0 steps has no row
// Out     columnSum, of the same shape, fp64: set for the newest key, added to for the others; rowSums [layers, slots,
//         heads, 7], fp64: set for the first token, else added to
// Launch  grid x = parts of attention_add_rows_keys keys, counted by attention_splits.cuh, or more;
//         y = ceil(heads / attention_add_rows_heads), z = layers; block attention_add_rows_threads
// Cost    20 bytes per visible key, head and layer
// Rounds  as attention_merge.cu, to the bit
// See     DecodingTexts, DecodingStepsTest, test/attention_packed_test.cpp
#include "attention_splits.cuh"
#include "row_sums.cuh"

constexpr int HEADS = 8;                    // of a block, one per warp: texts may be short
constexpr int THREADS = (HEADS + 1) * WARP; // the last warp adds to the sums over rows
constexpr int RESIDENT = 5;                 // blocks per multiprocessor
constexpr int KEYS = 1024;                  // of a part of a text
EXPORT(attention_add_rows_threads, THREADS);
EXPORT(attention_add_rows_heads, HEADS);
EXPORT(attention_add_rows_keys, KEYS);

RESIDENT_KERNEL(attention_add_rows_f64, THREADS, RESIDENT, double* columnSum, double* rowSums, STATISTICS,
                const float* scores, const float* newest, const TextTile* tiles, const int* steps, int texts, int slots,
                int heads, int64_t layer) {
    TextPart part = text_part(tiles, texts, KEYS, 0, blockIdx.x);
    if (part.text < 0 || steps[part.text] == 0) {
        return;
    }
    const TextTile& text = tiles[part.text];
    int lane = static_cast<int>(threadIdx.x) % WARP;
    int warp = static_cast<int>(threadIdx.x) / WARP;
    bool ofRows = warp == HEADS; // a lane per head
    int index = ofRows ? lane : warp;
    int head = static_cast<int>(blockIdx.y) * HEADS + index;
    if (index >= HEADS || head >= heads) {
        return;
    }
    int position = text.keys - 1;
    int64_t base = blockIdx.z * layer + text.statistics + static_cast<int64_t>(head) * text.capacity;
    int64_t row = (static_cast<int64_t>(blockIdx.z) * slots + text.slot) * heads + head;
    if (ofRows) {
        if (part.index == 0) {
            RowSums own;
            own.add(STATISTICS_VALUE, base + position, position, text.keys);
            own.add_to(rowSums + row * ROW_SUMS, position == 0);
        }
        return;
    }

    constexpr int AT_ONCE = 6; // independent loads
    float logSum = newest[2 * row];
    int first = max(part.index * KEYS, static_cast<int>(newest[2 * row + 1]));
    int end = min((part.index + 1) * KEYS, text.keys);
    for (int from = first + lane; from < end; from += AT_ONCE * WARP) {
        float score[AT_ONCE];
        double column[AT_ONCE];
        UNROLL for (int i = 0; i < AT_ONCE; i++) {
            int key = from + i * WARP;
            score[i] = key < end ? scores[base + key] : 0;
            column[i] = key < min(end, position) ? columnSum[base + key] : 0;
        }
        UNROLL for (int i = 0; i < AT_ONCE; i++) {
            int key = from + i * WARP;
            if (key < end) {
                columnSum[base + key] = column[i] + exp2f(score[i] - logSum);
            }
        }
    }
}
