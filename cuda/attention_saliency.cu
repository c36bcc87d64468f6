// Saliency maps |p_ij dL/dp_ij| of attention: complete for some heads, pooled to cells for all.
//
//   map     destination[m, i, j] of head chosen[m]; 0 if j is masked
//   cells   largest[h, i, b] = max, sums[h, i, b] = sum over the j >= firstSource of cell b
//                                                              token j lies in cell j cells / keys, rounded down
//   pool    pooledMaximum[h, a, b] = max, pooledMean[h, a, b] = mean over the i of cell a and the j of cell b
//
// Columns are pooled first, rows second, so that no map is stored and no block waits for another block's sums.
//
// In      gradient, q [queries, heads * headDim]; logSumExp [heads, queries]; k, v [keys, kvHeads * headDim];
//         chosen [maps], int; cells <= keys; 0 <= firstSource <= keys; pool: queries = keys = tokens; fp32
// Out     destination [maps, queries, keys]; largest, sums [heads, queries, cells];
//         pooledMaximum, pooledMean [heads, cells, cells]; every element
// Launch  map: grid x = tiles of attention_saliency_map_query_tile queries, y = maps;
//         block attention_saliency_map_threads;
//         cells: grid x = tiles of attention_saliency_cells_query_tile queries, y = heads;
//         block attention_saliency_cells_threads;
//         pool: one thread per cell, grid x = ceil(heads cells^2 / attention_saliency_pool_threads);
//         block attention_saliency_pool_threads
// Cost    map, cells: 4 queries keys headDim operations per head, half if causal; pool: 8 queries cells bytes per head
// Rounds  fp32, sums in column and row order, bit-reproducible; probabilities as in attention_query_gradient.cu
// See     Gradients.attention, AttentionSaliency, test/attention_gradient_test.cpp
#include "attention_cells.cuh"
#include "attention_gradient.cuh"

EXPORT(attention_saliency_map_threads, ATTENTION_THREADS);
EXPORT(attention_saliency_map_query_tile, QUERY_TILE);
EXPORT(attention_saliency_cells_threads, ATTENTION_THREADS);
EXPORT(attention_saliency_cells_query_tile, QUERY_TILE);
EXPORT(attention_saliency_pool_threads, ATTENTION_THREADS);

/// Turns scores into saliency, 0 for keys before firstSource, and passes it on to a sink.
template <int WIDTH, class Sink>
struct SaliencyTiles {
    const Head& head;
    int firstRow;
    HeadRows gradient;
    HeadRows v;
    const float* logSumExp;
    int firstSource;
    Sink sink;

    __device__ void tile(int firstKey, float (&score)[ROWS][COLUMNS]) {
        float probGradient[ROWS][COLUMNS];
        product_tile<WIDTH>(gradient, firstRow, v, firstKey, head.spec.headDim, probGradient);
        UNROLL for (int r = 0; r < ROWS; r++) {
            float logSum = of_row(logSumExp, head, firstRow + tile_row(r));
            UNROLL for (int c = 0; c < COLUMNS; c++) {
                bool counts = firstKey + tile_column(c) >= firstSource;
                score[r][c] = counts ? saliency(probability(score[r][c], logSum), probGradient[r][c]) : 0;
            }
        }
        sink.tile(firstKey, score);
    }
};

/// Writes the elements of a query tile of `count` rows into [count, width].
struct MapSink {
    float* destination;
    int width;
    int count;

    __device__ void tile(int firstKey, const float (&saliency)[ROWS][COLUMNS]) {
        UNROLL for (int r = 0; r < ROWS; r++) {
            UNROLL for (int c = 0; c < COLUMNS; c++) {
                int key = firstKey + tile_column(c);
                if (tile_row(r) < count && key < width) {
                    destination[static_cast<int64_t>(tile_row(r)) * width + key] = saliency[r][c];
                }
            }
        }
    }
};

template <int WIDTH, class Sink>
__device__ void saliency_walk(const Head& head, int firstRow, const Sink& sink, const float* gradient, const float* v,
                              const float* logSumExp, int firstSource) {
    SaliencyTiles<WIDTH, Sink> tiles{head,        firstRow, head.ofQueries(gradient), head.ofKeys(v), logSumExp,
                                     firstSource, sink};
    walk_keys<WIDTH>(head, firstRow, tiles);
}

template <int WIDTH>
__device__ void saliency_map(float* destination, const float* gradient, const float* logSumExp, const float* q,
                             const float* k, const float* v, const int* chosen, const AttentionSpec& spec) {
    int firstRow = first_row(spec);
    Head head(spec, chosen[blockIdx.y], q, k);
    MapSink sink{cleared_rows<ATTENTION_THREADS>(destination, spec, firstRow, QUERY_TILE, spec.keys), spec.keys,
                 min(QUERY_TILE, spec.queries - firstRow)};
    saliency_walk<WIDTH>(head, firstRow, sink, gradient, v, logSumExp, 0);
}

template <int WIDTH>
__device__ void saliency_cells(float* largest, float* sums, const float* gradient, const float* logSumExp,
                               const float* q, const float* k, const float* v, const AttentionSpec& spec, int cells,
                               int firstSource) {
    int firstRow = first_row(spec);
    Head head(spec, blockIdx.y, q, k);
    auto sink = cleared_cells(largest, sums, EvenCells{cells, spec.keys}, spec, firstRow);
    saliency_walk<WIDTH>(head, firstRow, sink, gradient, v, logSumExp, firstSource);
}

KERNEL(attention_saliency_pool_f32, ATTENTION_THREADS, float* pooledMaximum, float* pooledMean, const float* largest,
       const float* sums, int64_t count, int tokens, int cells) {
    int64_t i = element();
    if (i >= count) {
        return;
    }
    int column = static_cast<int>(i % cells);
    int row = static_cast<int>(i / cells % cells);
    int64_t head = i / cells / cells;
    EvenCells even{cells, tokens};
    int first = even.first(row);
    int end = even.first(row + 1);
    int columns = even.first(column + 1) - even.first(column);
    float maximum = 0;
    float sum = 0;
    for (int token = first; token < end; token++) {
        int64_t at = (head * tokens + token) * cells + column;
        maximum = fmaxf(maximum, largest[at]);
        sum += sums[at];
    }
    pooledMaximum[i] = maximum;
    pooledMean[i] = sum / (static_cast<float>(end - first) * columns);
}

#define ATTENTION_SALIENCY(WIDTH) \
    RESIDENT_KERNEL(attention_saliency_map_f32_d##WIDTH, ATTENTION_THREADS, 2, float* destination, const float* gradient, \
                const float* logSumExp, const float* q, const float* k, const float* v, const int* chosen, \
                ATTENTION_SPEC) { \
        saliency_map<WIDTH>(destination, gradient, logSumExp, q, k, v, chosen, shared_spec(QUERY_TILE_SPEC(0))); \
    } \
    RESIDENT_KERNEL(attention_saliency_cells_f32_d##WIDTH, ATTENTION_THREADS, 2, float* largest, float* sums, \
                const float* gradient, const float* logSumExp, const float* q, const float* k, const float* v, \
                ATTENTION_SPEC, int cells, int firstSource) { \
        saliency_cells<WIDTH>(largest, sums, gradient, logSumExp, q, k, v, shared_spec(QUERY_TILE_SPEC(0)), cells, firstSource); \
    }
FOR_EACH_WIDTH(ATTENTION_SALIENCY)
