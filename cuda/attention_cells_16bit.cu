// The cells of attention_cells.cu for 16-bit queries and keys, on tensor cores; attention_cells_pool_f32 then pools them.
//
// In      logSumExp [heads, capacity], of these queries, fp32; q [queries, heads * headDim]; k [keys, kvHeads * headDim];
//         bf16 or fp16; keys <= side * bin; mean is 0 for the maximum, else 1
// Out     pooled [heads, queries, side], fp32, every element
// Launch  grid x = tiles of <kernel>_tile queries, y = heads; block <kernel>_threads; dynamic shared memory
//         <kernel>_shared
// Cost    2 queries keys headDim operations per head, half if causal
// Rounds  products are exact and summed in fp32; probabilities as in attention_columns_16bit.cu; bit-reproducible
// See     Backend.attention, AttentionAtlas, test/attention_atlas_test.cpp
#include "attention_gradient_tiles.cuh"
#include "attention_tile_cells.cuh"

template <int WIDTH, class T>
__device__ void attention_cells(float* pooled, const float* logSumExp, const T* q, const T* k, const AttentionSpec& spec,
                                const BinnedCells& cells, bool mean) {
    using Shape = TileShape<WIDTH>;
    DYNAMIC_SHARED(unsigned char, bytes);
    SHARED(Exchanged<float>[Shape::KEPT], shift);
    int head = blockIdx.y;
    int blockRow = first_kept_query<WIDTH>(spec);
    int firstRow = blockRow + warp_row<WIDTH>();
    if (threadIdx.x < Shape::KEPT) {
        int row = blockRow + static_cast<int>(threadIdx.x);
        shift[threadIdx.x] = row < spec.queries ? -logSumExp[spec.element(head, row)] * LOG2_E : BELOW_ALL;
    }
    TileCells<Shape, BinnedCells> sink(mean ? nullptr : pooled, mean ? pooled : nullptr, cells, spec, blockRow);
    walk_tiles<WIDTH>(
        spec, head, blockRow, q, k, reinterpret_cast<T*>(bytes),
        [&](const TileMask& mask, int key, typename Shape::Products& product) {
            float scale = cap_and_mask(spec, mask, product, [&](int r) {
                int row = firstRow + lane_row(r);
                return Range{spec.firstKey(row) - key, spec.endKey(row) - key};
            });
            UNROLL for (int r = 0; r < Shape::ROWS; r++) {
                float own = shift[warp_row<WIDTH>() + lane_row(r)];
                UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
                    UNROLL for (int i = 0; i < 2; i++) {
                        float& value = product[r / 2][c][r % 2 * 2 + i];
                        value = fast_exp2(fmaf(value, scale, own));
                    }
                }
            }
            sink.tile(warp_row<WIDTH>(), key, product);
        });
}

#define ATTENTION_CELLS(WIDTH, NAME, T) \
    EXPORT_TILES(attention_cells_##NAME##_d##WIDTH, WIDTH); \
    WIDE_KERNEL(attention_cells_##NAME##_d##WIDTH, TILE_THREADS, float* pooled, const float* logSumExp, const T* q, \
                const T* k, ATTENTION_SPEC, int capacity, int side, int bin, int mean) { \
        attention_cells<WIDTH>(pooled, logSumExp, q, k, shared_spec(QUERY_TILE_SPEC(capacity)), \
                               BinnedCells{side, bin}, mean != 0); \
    }
#define BOTH(WIDTH) ATTENTION_CELLS(WIDTH, bf16, Bf16) ATTENTION_CELLS(WIDTH, f16, F16)
FOR_EACH_WIDTH(BOTH)
