// attention_saliency.cu for 16-bit operands, on tensor cores: maps of some heads, and rows pooled to cells for all. Runs
// after attention_gradient_rows_16bit.cu, which rounds the gradient; attention_saliency_pool_f32 then pools the rows of
// cells.
//
// In      gradient, q [queries, heads * headDim]; k, v [keys, kvHeads * headDim]; bf16 or fp16;
//         numbers [heads, queries, 4], fp32; chosen [maps], int; cells <= keys; 0 <= firstSource <= keys
// Out     destination [maps, queries, keys]; largest, sums [heads, queries, cells]; fp32, every element
// Launch  grid x = tiles of <kernel>_tile queries, y = maps, or heads; block <kernel>_threads; dynamic shared memory
//         <kernel>_shared
// Cost    4 queries keys headDim operations per head, half if causal; every query tile reads its visible k and v
// Rounds  products are exact and summed in fp32, so the saliency is that of the rounded q and gradient; probabilities as in
//         attention_columns_16bit.cu; bit-reproducible
// See     Gradients.attention, AttentionSaliency, test/attention_gradient_16bit_test.cpp
#include "attention_gradient_tiles.cuh"
#include "attention_tile_cells.cuh"

/// Turns products q k' (times scale: scores in units of log 2) and dL/dP, which it overwrites, into the saliency.
template <class T, class Shape>
__device__ void saliency_tile(const AttentionSpec& spec, const RowNumbers* numbers, int head, int firstRow, float scale,
                              const typename Shape::Products& product, typename Shape::Products& passed) {
    UNROLL for (int r = 0; r < Shape::ROWS; r++) {
        int row = firstRow + lane_row(r);
        RowNumbers own = row < spec.queries ? numbers[spec.element(head, row)] : RowNumbers{BELOW_ALL, 0, 0, 0};
        UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
            UNROLL for (int i = 0; i < 2; i++) {
                float& value = passed[r / 2][c][r % 2 * 2 + i];
                float p = fast_exp2(fmaf(product[r / 2][c][r % 2 * 2 + i], scale, own.shift));
                value = saliency(p, value) * (NARROW<T> ? own.unit : 1);
            }
        }
    }
}

template <int WIDTH, class T>
__device__ void saliency_map(float* destination, const T* gradient, const RowNumbers* numbers, const T* q, const T* k,
                             const T* v, const int* chosen, const AttentionSpec& spec) {
    using Shape = QueryShape<WIDTH>;
    DYNAMIC_SHARED(unsigned char, bytes);
    int head = chosen[blockIdx.y];
    int blockRow = spec.tile * Shape::KEPT;
    float* map = cleared_rows<TILE_THREADS>(destination, spec, blockRow, Shape::KEPT, spec.keys);
    walk_pairs<WIDTH>(
        spec, head, reinterpret_cast<T*>(bytes), gradient, q, k, v,
        [&](int key, int, float scale, typename Shape::Products& product, typename Shape::Products& passed) {
            saliency_tile<T, Shape>(spec, numbers, head, blockRow + Shape::warp_row(), scale, product, passed);
            UNROLL for (int r = 0; r < Shape::ROWS; r++) {
                int row = row_in_block<Shape>(r);
                UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
                    UNROLL for (int i = 0; i < 2; i++) {
                        int column = key + lane_column(c, i);
                        if (blockRow + row < spec.queries && column < spec.keys) {
                            map[static_cast<int64_t>(row) * spec.keys + column] = passed[r / 2][c][r % 2 * 2 + i];
                        }
                    }
                }
            }
        });
}

template <int WIDTH, class T>
__device__ void saliency_cells(float* largest, float* sums, const T* gradient, const RowNumbers* numbers, const T* q,
                               const T* k, const T* v, const AttentionSpec& spec, int cells, int firstSource) {
    using Shape = QueryShape<WIDTH>;
    DYNAMIC_SHARED(unsigned char, bytes);
    int head = blockIdx.y;
    int blockRow = spec.tile * Shape::KEPT;
    TileCells<Shape, EvenCells> sink(largest, sums, {cells, spec.keys}, spec, blockRow);
    walk_pairs<WIDTH>(
        spec, head, reinterpret_cast<T*>(bytes), gradient, q, k, v,
        [&](int key, int, float scale, typename Shape::Products& product, typename Shape::Products& passed) {
            saliency_tile<T, Shape>(spec, numbers, head, blockRow + Shape::warp_row(), scale, product, passed);
            int skipped = firstSource - key - lane_column(0, 0);
            UNROLL for (int r = 0; r < Shape::ROWS; r++) {
                UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
                    UNROLL for (int i = 0; i < 2; i++) {
                        float& value = passed[r / 2][c][r % 2 * 2 + i];
                        value = c * 8 + i < skipped ? 0 : value;
                    }
                }
            }
            sink.tile(Shape::warp_row(), key, passed);
        });
}

#define EXPORT_QUERIES(kernel, WIDTH) \
    EXPORT(kernel##_threads, TILE_THREADS); \
    EXPORT(kernel##_tile, QueryShape<WIDTH>::KEPT); \
    EXPORT(kernel##_shared, QueryShape<WIDTH>::BYTES)
#define ATTENTION_SALIENCY(WIDTH, NAME, T) \
    EXPORT_QUERIES(attention_saliency_map_##NAME##_d##WIDTH, WIDTH); \
    EXPORT_QUERIES(attention_saliency_cells_##NAME##_d##WIDTH, WIDTH); \
    WIDE_KERNEL(attention_saliency_map_##NAME##_d##WIDTH, TILE_THREADS, float* destination, const T* gradient, \
           const RowNumbers* numbers, const T* q, const T* k, const T* v, const int* chosen, ATTENTION_SPEC) { \
        saliency_map<WIDTH>(destination, gradient, numbers, q, k, v, chosen, shared_spec(QUERY_TILE_SPEC(0))); \
    } \
    WIDE_KERNEL(attention_saliency_cells_##NAME##_d##WIDTH, TILE_THREADS, float* largest, float* sums, const T* gradient, \
           const RowNumbers* numbers, const T* q, const T* k, const T* v, ATTENTION_SPEC, int cells, \
           int firstSource) { \
        saliency_cells<WIDTH>(largest, sums, gradient, numbers, q, k, v, shared_spec(QUERY_TILE_SPEC(0)), cells, \
                              firstSource); \
    }
#define BOTH(WIDTH) ATTENTION_SALIENCY(WIDTH, bf16, Bf16) ATTENTION_SALIENCY(WIDTH, f16, F16)
FOR_EACH_WIDTH(BOTH)
