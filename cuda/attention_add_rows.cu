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
// Launch  grid x = parts of attention_add_rows_keys keys and one more per text, counted by attention_splits.cuh, or more;
//         y = heads, z = layers; block attention_add_rows_threads
// Cost    20 bytes per visible key, head and layer
// Rounds  as attention_merge.cu, to the bit
// See     DecodingTexts, DecodingStepsTest, test/attention_packed_test.cpp
#include "attention_splits.cuh"
#include "row_sums.cuh"

constexpr int THREADS = 256;
constexpr int KEYS = 1024; // of a block that adds probabilities
EXPORT(attention_add_rows_threads, THREADS);
EXPORT(attention_add_rows_keys, KEYS);

/// The first part of a text adds to its sums over rows; each other part owns KEYS keys.
KERNEL(attention_add_rows_f64, THREADS, double* columnSum, double* rowSums, STATISTICS, const float* scores,
       const float* newest, const TextTile* tiles, const int* steps, int texts, int slots, int heads, int64_t layer) {
    TextPart part = text_part(tiles, texts, KEYS, 1, blockIdx.x);
    if (part.text < 0 || steps[part.text] == 0) {
        return;
    }
    const TextTile& text = tiles[part.text];
    int head = static_cast<int>(blockIdx.y);
    int position = text.keys - 1;
    int64_t base = blockIdx.z * layer + text.statistics + static_cast<int64_t>(head) * text.capacity;
    int64_t row = (static_cast<int64_t>(blockIdx.z) * slots + text.slot) * heads + head;
    if (part.index == 0) {
        if (threadIdx.x == 0) {
            RowSums own;
            own.add(STATISTICS_VALUE, base + position, position, text.keys);
            own.add_to(rowSums + row * ROW_SUMS, position == 0);
        }
        return;
    }

    constexpr int AT_ONCE = KEYS / THREADS; // independent loads
    float logSum = newest[2 * row];
    int firstKey = static_cast<int>(newest[2 * row + 1]);
    int from = (part.index - 1) * KEYS + static_cast<int>(threadIdx.x);
    float score[AT_ONCE];
    double column[AT_ONCE];
    UNROLL for (int i = 0; i < AT_ONCE; i++) {
        int key = from + i * THREADS;
        bool visible = key >= firstKey && key <= position;
        score[i] = visible ? scores[base + key] : 0;
        column[i] = visible && key < position ? columnSum[base + key] : 0;
    }
    UNROLL for (int i = 0; i < AT_ONCE; i++) {
        int key = from + i * THREADS;
        if (key >= firstKey && key <= position) {
            columnSum[base + key] = column[i] + exp2f(score[i] - logSum);
        }
    }
}
