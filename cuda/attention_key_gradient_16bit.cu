// attention_key_gradient.cu for 16-bit operands, on tensor cores: keys and values stay resident, queries and the output's
// gradient are streamed. Runs after attention_gradient_rows_16bit.cu, which rounds the gradient.
//
// In      gradient, q [queries, heads * headDim]; k, v [keys, kvHeads * headDim]; bf16 or fp16;
//         numbers [heads, queries, 4], fp32
// Out     kGradient, vGradient as k; or, with a block per query head, [keys, heads * headDim]: those of each query head,
//         which attention_key_gradient_sum adds up to the same bits; columns [heads, keys] or null; fp32, every element
// Launch  grid x = tiles of <kernel>_tile keys, y = kvHeads, or heads; block <kernel>_threads; dynamic shared memory
//         <kernel>_shared; sum: one thread per element, grid x = ceil(count / attention_key_gradient_sum_threads); block
//         attention_key_gradient_sum_threads
// Cost    8 queries keys headDim operations per query head, half if causal; 10 for heads wider than 128, whose two sums
//         need two walks; sum: 4 (heads / kvHeads + 1) bytes per element
// Rounds  products are exact and summed in fp32, so the saliency is that of the rounded q and gradient; probabilities and
//         dL/ds are rounded to 16 bits before they are multiplied by the gradient and q; sums in order of heads and
//         queries; bit-reproducible
// See     Gradients.attention, AttentionSaliency.columns, test/attention_gradient_16bit_test.cpp
#include "attention_gradient_tiles.cuh"

template <int WIDTH>
using KeyShape = PairShape<WIDTH, (WIDTH <= 32 ? 2 : 1), (WIDTH <= 128 ? 32 : 16)>;

/// Numbers of the queries of two tiles, and each thread's part of the saliency of one head's keys.
template <class Shape>
struct KeyMemory {
    RowNumbers numbers[2][Shape::TILE];
    float column[Shape::ROWS][TILE_THREADS];
};

template <class T>
struct QueryOperands {
    const T* q;
    const T* gradient;
    const RowNumbers* numbers;
};

/// Which gradients one walk over the queries sums: those of keys, of values, or both.
template <bool KEYS, bool VALUES>
struct Sums {
    static constexpr bool OF_KEYS = KEYS;
    static constexpr bool OF_VALUES = VALUES;
};

template <int WIDTH, class T, class Which>
class KeyWalk {
public:
    using Shape = KeyShape<WIDTH>;
    using Products = typename Shape::Products;

    /// The spec and the operands lie in shared memory; registers are needed for products.
    __device__ KeyWalk(const AttentionSpec& spec, const QueryOperands<T>& x, T* pool,
                       KeyMemory<Shape>& memory)
        : spec(spec), x(x), pool(pool), memory(memory) {}

    /// Adds the gradients from all queries of a head. Synchronises.
    __device__ void head(int head) {
        UNROLL for (int r = 0; r < Shape::ROWS; r++) {
            memory.column[r][threadIdx.x] = 0;
        }
        int firstKey = spec.tile * Shape::KEPT;
        int first = spec.firstRow(firstKey) / Shape::TILE * Shape::TILE;
        int end = spec.endRow(min(firstKey + Shape::KEPT, spec.keys) - 1);
        if (first >= end) {
            return;
        }
        __syncthreads(); // earlier tiles have been read
        PairStream<T, WIDTH, Shape> stream(pool);
        copy(stream, head, 0, first);
        for (int query = first; query < end; query += Shape::TILE) {
            int pair = stream.arrived();
            if (query + Shape::TILE < end) {
                copy(stream, head, 1 - pair, query + Shape::TILE);
            }
            TileMask mask(spec, query, Shape::TILE, warp_key(), Shape::WARP_ROWS);
            if (!mask.none) {
                add(mask, query, pair, stream.offset(pair), stream.offset(pair) + stream.LENGTH);
            }
        }
    }

    __device__ void write_columns(float* columns, int head) {
        UNROLL for (int r = 0; r < Shape::ROWS; r++) {
            float total = warp_sum<QUAD>(memory.column[r][threadIdx.x]);
            int key = warp_key() + lane_row(r);
            if (columns != nullptr && threadIdx.x % QUAD == 0 && key < spec.keys) {
                columns[static_cast<int64_t>(head) * spec.keys + key] = total;
            }
        }
    }

    /// Writes the head's gradients, or adds them to those of earlier heads, and clears the sums.
    __device__ void write(const KeyResults& to, bool adds) {
        if constexpr (Which::OF_KEYS) {
            write(keys, spec.scale, to.kGradient, adds);
        }
        if constexpr (Which::OF_VALUES) {
            write(values, 1, to.vGradient, adds);
        }
    }

private:
    using KeySums = GradientSums<T, WIDTH, Shape::PIECES>;
    using Rounded = typename KeySums::template Rounded<Shape::COLUMNS>;

    /// First key of the warp.
    __device__ int warp_key() const {
        return spec.tile * Shape::KEPT + Shape::warp_row();
    }

    /// Starts copying the queries from the first on, their gradients and numbers.
    __device__ void copy(PairStream<T, WIDTH, Shape>& stream, int head, int pair, int first) {
        if (threadIdx.x < Shape::TILE) {
            int query = first + threadIdx.x;
            bool there = query < spec.queries;
            copy_chunk(&memory.numbers[pair][threadIdx.x], x.numbers + (there ? spec.element(head, query) : 0), there);
        }
        stream.copy(queries_of(spec, head, x.q), queries_of(spec, head, x.gradient), first);
    }

    /// Adds a tile of queries.
    __device__ void add(const TileMask& mask, int query, int pair, int queries, int gradients) {
        Products product;
        multiply_tile<T, WIDTH>(product, pool, Shape::warp_row(), queries);
        float scale = cap_and_mask(spec, mask, product, [&](int r) {
            int key = warp_key() + lane_row(r);
            return Range{spec.firstRow(key) - query, spec.endRow(key) - query};
        });
        Rounded weight;
        if constexpr (!Which::OF_KEYS) {
            probabilities(product, scale, pair);
            values.round(weight, product);
            values.add(weight, pool, gradients);
        } else {
            Products passed;
            multiply_tile<T, WIDTH>(passed, pool, Shape::KEPT + Shape::warp_row(), gradients);
            if (spec.softCap > 0) {
                weights<true>(product, passed, scale, pair);
            } else {
                weights<false>(product, passed, scale, pair);
            }
            if constexpr (Which::OF_VALUES) {
                values.round(weight, product);
                values.add(weight, pool, gradients);
            }
            keys.round(weight, passed);
            keys.add(weight, pool, queries);
        }
    }

    /// Turns products into probabilities, in units of the queries.
    __device__ void probabilities(Products& product, float scale, int pair) const {
        UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
            UNROLL for (int i = 0; i < 2; i++) {
                float shift = memory.numbers[pair][lane_column(c, i)].shift;
                UNROLL for (int r = 0; r < Shape::ROWS; r++) {
                    float& score = product[r / 2][c][r % 2 * 2 + i];
                    score = in_units(fast_exp2(fmaf(score, scale, shift)), pair, lane_column(c, i));
                }
            }
        }
    }

    /// Turns products k q' into probabilities, and dL/dP into dL/ds over the spec's scale, both in units of the queries.
    template <bool CAPPED>
    __device__ void weights(Products& product, Products& passed, float scale, int pair) {
        float toCap = CAPPED ? LN_2 / spec.softCap : 0;
        float column[Shape::ROWS] = {};
        UNROLL for (int c = 0; c < Shape::COLUMNS; c++) {
            UNROLL for (int i = 0; i < 2; i++) {
                float shift = memory.numbers[pair][lane_column(c, i)].shift;
                float mean = memory.numbers[pair][lane_column(c, i)].mean;
                UNROLL for (int r = 0; r < Shape::ROWS; r++) {
                    float& score = product[r / 2][c][r % 2 * 2 + i];
                    float& gradient = passed[r / 2][c][r % 2 * 2 + i];
                    float p = in_units(fast_exp2(fmaf(score, scale, shift)), pair, lane_column(c, i));
                    column[r] += saliency(p, gradient);
                    gradient = p * (gradient - mean);
                    if (CAPPED) {
                        gradient *= capped_slope(score * scale, toCap);
                    }
                    score = p;
                }
            }
        }
        UNROLL for (int r = 0; r < Shape::ROWS; r++) {
            memory.column[r][threadIdx.x] += column[r];
        }
    }

    __device__ float in_units(float x, int pair, int query) const {
        return NARROW<T> ? x * memory.numbers[pair][query].unit : x;
    }

    __device__ void write(KeySums& sums, float factor, float* to, bool adds) const {
        int64_t parts = gridDim.y;
        sums.finish([&](int) { return factor; });
        sums.sums.write(to + (spec.keyStart * parts + blockIdx.y) * spec.headDim, parts * spec.headDim, warp_key(),
                        spec.keys, spec.headDim, adds);
        sums.clear();
    }

    const AttentionSpec& spec;
    const QueryOperands<T>& x;
    T* pool; // [k, v: kept; two pairs of tiles, PITCH]
    KeyMemory<Shape>& memory;
    KeySums keys;
    KeySums values;
};

/// One walk over the queries of the block's heads.
template <int WIDTH, class Which, class T>
__device__ void key_walk(const KeyResults& to, const QueryOperands<T>& x, const AttentionSpec& spec, T* pool,
                         KeyMemory<KeyShape<WIDTH>>& memory) {
    KeyWalk<WIDTH, T, Which> walk(spec, x, pool, memory);
    for (int i = 0; i < heads_of_block(spec); i++) {
        int head = recomputed(blockIdx.y) * heads_of_block(spec) + i;
        walk.head(head);
        walk.write(to, i > 0);
        if constexpr (Which::OF_KEYS) {
            walk.write_columns(to.columns, head);
        }
    }
}

template <int WIDTH, class T>
__device__ void attention_key_gradient(const KeyResults& to, const QueryOperands<T>& x, const T* k, const T* v,
                                       const AttentionSpec& spec) {
    using Shape = KeyShape<WIDTH>;
    DYNAMIC_SHARED(unsigned char, bytes);
    SHARED(KeyMemory<Shape>, memory);
    T* pool = reinterpret_cast<T*>(bytes);
    int kvHead = spec.kvHead(blockIdx.y * heads_of_block(spec));
    int firstKey = spec.tile * Shape::KEPT;
    copy_rows<WIDTH, Shape::KEPT>(pool, 0, keys_of(spec, kvHead, k), firstKey);
    copy_rows<WIDTH, Shape::KEPT>(pool, Shape::KEPT * Shape::PITCH, keys_of(spec, kvHead, v), firstKey);
    end_copies();
    if constexpr (WIDTH <= 128) {
        key_walk<WIDTH, Sums<true, true>>(to, x, spec, pool, memory);
    } else {
        key_walk<WIDTH, Sums<false, true>>(to, x, spec, pool, memory);
        key_walk<WIDTH, Sums<true, false>>(to, x, spec, pool, memory);
    }
    wait_for_copies<0>(); // of keys that no query sees
}

#define ATTENTION_KEY_GRADIENT(WIDTH, NAME, T) \
    EXPORT(attention_key_gradient_##NAME##_d##WIDTH##_threads, TILE_THREADS); \
    EXPORT(attention_key_gradient_##NAME##_d##WIDTH##_tile, KeyShape<WIDTH>::KEPT); \
    EXPORT(attention_key_gradient_##NAME##_d##WIDTH##_shared, KeyShape<WIDTH>::BYTES); \
    KERNEL(attention_key_gradient_##NAME##_d##WIDTH, TILE_THREADS, float* kGradient, float* vGradient, float* columns, \
           const T* gradient, const RowNumbers* numbers, const T* q, const T* k, const T* v, ATTENTION_SPEC) { \
        SHARED(QueryOperands<T>, x); \
        SHARED(KeyResults, to); \
        if (threadIdx.x == 0) { \
            x = {q, gradient, numbers}; \
            to = {kGradient, vGradient, columns}; \
        } \
        attention_key_gradient<WIDTH>(to, x, k, v, shared_spec(KEY_TILE_SPEC(0))); \
    }
#define BOTH(WIDTH) ATTENTION_KEY_GRADIENT(WIDTH, bf16, Bf16) ATTENTION_KEY_GRADIENT(WIDTH, f16, F16)
FOR_EACH_WIDTH(BOTH)

EXPORT(attention_key_gradient_sum_threads, 256);

/// gradient [keys, kvHeads * headDim] = the sum of the `sharing` consecutive heads of parts
/// [keys, kvHeads * sharing * headDim].
KERNEL(attention_key_gradient_sum_f32, 256, float* gradient, const float* parts, int64_t count, int sharing, int headDim) {
    int64_t i = element();
    if (i >= count) {
        return;
    }
    const float* part = parts + i / headDim * sharing * headDim + i % headDim;
    float sum = part[0];
    for (int head = 1; head < sharing; head++) {
        sum += part[static_cast<int64_t>(head) * headDim];
    }
    gradient[i] = sum;
}
