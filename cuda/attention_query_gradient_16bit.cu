// attention_query_gradient.cu for 16-bit operands, on tensor cores: queries and the output's gradient stay resident, keys
// and values are streamed. Runs after attention_gradient_rows_16bit.cu, which rounds the gradient.
//
// In      gradient, q [queries, heads * headDim]; k, v [keys, kvHeads * headDim]; bf16 or fp16;
//         numbers [heads, queries, 4], fp32; groupOf and firstSource as in attention_query_gradient.cu
// Out     qGradient as q; rows, maximum [heads, queries]; groups [heads, queries, groupCount]; fp32, every element; rows,
//         maximum and groups may be null, all three together
// Launch  grid x = tiles of <kernel>_tile queries, y = heads; block <kernel>_threads; dynamic shared memory
//         <kernel>_shared
// Cost    6 queries keys headDim operations per head, half if causal; every query tile reads its visible k and v
// Rounds  products are exact and summed in fp32, so the saliency is that of the rounded q and gradient; dL/ds is rounded to
//         16 bits before it is multiplied by k; probabilities as in attention_columns_16bit.cu; bit-reproducible
// See     Gradients.attention, AttentionSaliency, test/attention_gradient_16bit_test.cpp
#include "attention_gradient_tiles.cuh"

/// Numbers of a block's rows in shared memory; registers are needed for products.
template <class Shape>
struct RowMemory {
    Exchanged<float> shift[Shape::KEPT]; // added to scores so that exp2 gives probabilities
    Exchanged<float> mean[Shape::KEPT];  // of dL/dP under the probabilities, in units of the row
    float sum[Shape::KEPT];              // of the saliency, in units of the row
    float maximum[Shape::KEPT];
};

/// Row statistics of the saliency of a warp's rows, which comes in units of the rows.
template <class T, class Shape>
class SaliencyRows {
public:
    __device__ SaliencyRows(const Saliency& to, const AttentionSpec& spec, const RowNumbers* numbers,
                            int firstRow, RowMemory<Shape>& memory)
        : to(to), spec(spec), numbers(numbers), firstRow(firstRow), memory(memory) {
        for (int r = 0; r < Shape::ROWS; r++) {
            if (writes(r)) {
                memory.sum[row_in_block<Shape>(r)] = memory.maximum[row_in_block<Shape>(r)] = 0;
            }
            for (int g = 0; to.rows != nullptr && writes(r) && g < to.groupCount; g++) {
                group(r, g) = 0;
            }
        }
    }

    __device__ void tile(int firstKey, const typename Shape::Products& saliency) {
        int skipped = to.firstSource - firstKey - lane_column(0, 0);
        UNROLL for (int r = 0; r < Shape::ROWS; r++) {
            float sum = 0;
            float maximum = 0;
            UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
                UNROLL for (int i = 0; i < 2; i++) {
                    float value = c * 8 + i < skipped ? 0 : saliency[r / 2][c][r % 2 * 2 + i];
                    sum += value;
                    maximum = fmaxf(maximum, value);
                }
            }
            sum = warp_sum<QUAD>(sum);
            maximum = warp_maximum<QUAD>(maximum);
            if (writes(r)) {
                memory.sum[row_in_block<Shape>(r)] += sum;
                memory.maximum[row_in_block<Shape>(r)] = fmaxf(memory.maximum[row_in_block<Shape>(r)], maximum);
            }
        }
        for (int g = 0; g < to.groupCount; g++) {
            add_group(g, firstKey, saliency);
        }
    }

    __device__ void write() {
        for (int r = 0; r < Shape::ROWS; r++) {
            if (writes(r)) {
                to.rows[at(r)] = memory.sum[row_in_block<Shape>(r)] * unit_of(r);
                to.maximum[at(r)] = memory.maximum[row_in_block<Shape>(r)] * unit_of(r);
            }
        }
    }

private:
    __device__ void add_group(int g, int firstKey, const typename Shape::Products& saliency) {
        float total[Shape::ROWS] = {};
        bool some = false;
        UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
            UNROLL for (int i = 0; i < 2; i++) {
                int key = firstKey + lane_column(c, i);
                if (key < spec.keys && to.groupOf[key] == g) {
                    some = true;
                    UNROLL for (int r = 0; r < Shape::ROWS; r++) {
                        total[r] += saliency[r / 2][c][r % 2 * 2 + i];
                    }
                }
            }
        }
        if (__any_sync(ALL_LANES, some)) {
            UNROLL for (int r = 0; r < Shape::ROWS; r++) {
                float sum = warp_sum<QUAD>(total[r]);
                if (writes(r)) {
                    group(r, g) += sum * unit_of(r);
                }
            }
        }
    }

    /// Whether the lane writes the row: one of those that share it does.
    __device__ bool writes(int r) const {
        return threadIdx.x % QUAD == 0 && firstRow + lane_row(r) < spec.queries;
    }

    __device__ float unit_of(int r) const {
        return NARROW<T> ? numbers[spec.element(blockIdx.y, firstRow + lane_row(r))].unit : 1;
    }

    /// Index of a lane's row in [heads, queries].
    __device__ int64_t at(int r) const {
        return static_cast<int64_t>(blockIdx.y) * spec.queries + firstRow + lane_row(r);
    }

    __device__ float& group(int r, int g) const {
        return to.groups[at(r) * to.groupCount + g];
    }

    const Saliency& to;
    const AttentionSpec& spec;
    const RowNumbers* numbers;
    int firstRow;
    RowMemory<Shape>& memory;
};

/// Turns products q k' (times scale: scores in units of log 2) and dL/dP into dL/ds over the spec's scale, and the
/// saliency.
template <bool CAPPED, class Shape>
__device__ void query_weights(typename Shape::Products& product, typename Shape::Products& passed, float scale,
                              float toCap, const RowMemory<Shape>& memory) {
    UNROLL for (int r = 0; r < Shape::ROWS; r++) {
        float shift = memory.shift[row_in_block<Shape>(r)];
        float mean = memory.mean[row_in_block<Shape>(r)];
        UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
            UNROLL for (int i = 0; i < 2; i++) {
                float& score = product[r / 2][c][r % 2 * 2 + i];
                float& gradient = passed[r / 2][c][r % 2 * 2 + i];
                float p = fast_exp2(fmaf(score, scale, shift));
                float weight = p * (gradient - mean);
                score = CAPPED ? weight * capped_slope(score * scale, toCap) : weight;
                gradient = saliency(p, gradient);
            }
        }
    }
}

template <int WIDTH, class T>
__device__ void attention_query_gradient(float* qGradient, const Saliency& to, const T* gradient,
                                         const RowNumbers* numbers, const T* q, const T* k, const T* v,
                                         const AttentionSpec& spec) {
    using Shape = QueryShape<WIDTH>;
    DYNAMIC_SHARED(unsigned char, bytes);
    SHARED(RowMemory<Shape>, memory);
    T* pool = reinterpret_cast<T*>(bytes); // [q, gradient: kept; two pairs of tiles, PITCH]
    int head = blockIdx.y;
    int firstRow = spec.tile * Shape::KEPT + Shape::warp_row();
    for (int r = 0; r < Shape::ROWS; r++) {
        int row = firstRow + lane_row(r);
        if (threadIdx.x % QUAD == 0) { // the others read once the first tiles have arrived
            RowNumbers own = row < spec.queries ? numbers[spec.element(head, row)] : RowNumbers{BELOW_ALL, 0, 1, 0};
            memory.shift[row_in_block<Shape>(r)] = own.shift;
            memory.mean[row_in_block<Shape>(r)] = own.mean;
        }
    }
    SaliencyRows<T, Shape> rows(to, spec, numbers, firstRow, memory);
    GradientSums<T, WIDTH, Shape::PIECES> sums;
    walk_pairs<WIDTH>(
        spec, head, pool, gradient, q, k, v,
        [&](int key, int tile, float scale, typename Shape::Products& product, typename Shape::Products& passed) {
            if (spec.softCap > 0) {
                query_weights<true, Shape>(product, passed, scale, LN_2 / spec.softCap, memory);
            } else {
                query_weights<false, Shape>(product, passed, scale, 0, memory);
            }
            typename GradientSums<T, WIDTH, Shape::PIECES>::template Rounded<Shape::COLUMNS> weight;
            sums.round(weight, product);
            if (to.rows != nullptr) {
                rows.tile(key, passed);
            }
            sums.add(weight, pool, tile);
        });
    sums.finish([&](int r) {
        int row = firstRow + lane_row(r);
        return NARROW<T> && row < spec.queries ? numbers[spec.element(head, row)].unit * spec.scale : spec.scale;
    });
    sums.sums.write(qGradient, spec, head, firstRow);
    if (to.rows != nullptr) {
        rows.write();
    }
}

#define ATTENTION_QUERY_GRADIENT(WIDTH, NAME, T) \
    EXPORT(attention_query_gradient_##NAME##_d##WIDTH##_threads, TILE_THREADS); \
    EXPORT(attention_query_gradient_##NAME##_d##WIDTH##_tile, QueryShape<WIDTH>::KEPT); \
    EXPORT(attention_query_gradient_##NAME##_d##WIDTH##_shared, QueryShape<WIDTH>::BYTES); \
    KERNEL(attention_query_gradient_##NAME##_d##WIDTH, TILE_THREADS, float* qGradient, float* rows, float* maximum, \
           float* groups, const T* gradient, const RowNumbers* numbers, const T* q, const T* k, const T* v, \
           const int* groupOf, ATTENTION_SPEC, int groupCount, int firstSource) { \
        SHARED(Saliency, to); \
        if (threadIdx.x == 0) { \
            to = {rows, maximum, groups, groupOf, groupCount, firstSource}; \
        } \
        attention_query_gradient<WIDTH>(qGradient, to, gradient, numbers, q, k, v, shared_spec(QUERY_TILE_SPEC(0))); \
    }
#define BOTH(WIDTH) ATTENTION_QUERY_GRADIENT(WIDTH, bf16, Bf16) ATTENTION_QUERY_GRADIENT(WIDTH, f16, F16)
FOR_EACH_WIDTH(BOTH)
