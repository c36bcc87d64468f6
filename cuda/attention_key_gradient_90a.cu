// attention_key_gradient_16bit.cu for Hopper: keys and values stay resident, queries, the output's gradient and its numbers
// are streamed. Keys are the rows of all products, so that weights stay in registers.
//
// In      gradient, q [queries, heads, headDim]; k, v [keys, kvHeads, headDim], of all texts; bf16 or fp16, as tensor maps
//         like those of attention_forward_90a.cu, but with boxes of <kernel>_box rows; numbers, fp32, as a tensor map of one
//         axis: RowNumbers of all texts, in boxes of 4 <kernel>_box elements. They have fewer than 2^31 elements
// Out     kGradient, vGradient, columns as in attention_key_gradient_16bit.cu
// Launch  grid x = tiles of <kernel>_tile keys, y = kvHeads, or heads; block <kernel>_threads; dynamic shared memory
//         <kernel>_shared
// Cost    8 queries keys headDim operations per query head, half if causal
// Rounds  as in attention_key_gradient_16bit.cu; bit-reproducible
// See     Gradients.attention, AttentionSaliency.columns, test/attention_gradient_90a_test.cpp
#include "attention_gradient_groups.cuh"

template <int WIDTH>
using KeyGroupShape = PairGroupShape<WIDTH, 64, 4, 64 * sizeof(RowNumbers)>;

/// Queries that attend to some of `count` keys; none if the keys are beyond the last.
__device__ inline Range queries_of_keys(const AttentionSpec& spec, int firstKey, int count) {
    int lastKey = min(firstKey + count, spec.keys) - 1;
    return firstKey > lastKey ? Range{0, 0} : Range{spec.firstRow(firstKey), spec.endRow(lastKey)};
}

template <class Shape>
__device__ inline PairTiles tiles_of_keys(const AttentionSpec& spec, int row) {
    int firstKey = spec.tile * Shape::KEPT;
    return PairTiles::of<Shape>(queries_of_keys(spec, firstKey, Shape::KEPT),
                                queries_of_keys(spec, firstKey + row, Shape::ROWS));
}

/// Gradients of a warp group's keys. The group computes probabilities while the products of dL/dP run, and dL/ds while those
/// of the values' gradient do; those of the keys' gradient run beside the next tile's.
template <class Shape, class T, int WIDTH, bool CAPPED>
class KeyGroup {
public:
    using Products = typename Shape::Products;

    __device__ __forceinline__ KeyGroup(const AttentionSpec& spec, unsigned char* pool,
                                        TileBarriers<Shape::SLOTS>& pairs)
        : spec(spec), pool(pool), pairs(pairs), row(group_index() * Shape::ROWS) {}

    /// Adds all queries of a head; tiles before it have the numbers 0 .. first - 1.
    __device__ __forceinline__ void head(const PairTiles& tiles, int first) {
        Products s;
        Products passed;
        keys.clear();
        values.clear();
        column[0] = column[1] = 0;
        visit_tiles(
            tiles,
            [&](int tile) {
                int n = first + tile - tiles.block.first;
                arrived(tile, n);
                __syncwarp(); // all lanes have waited
                pairs.release(n);
            },
            [&](int tile) {
                int n = first + tile - tiles.block.first;
                add(s, passed, tile, n, tile > tiles.group.first);
            },
            [&]() {
                wait_for_products<0>(keys.sum, weight);
                if (tiles.group.first < tiles.group.end) {
                    pairs.release(first + tiles.group.end - 1 - tiles.block.first);
                }
            });
    }

    /// Writes the head's gradients, or adds them to those of earlier heads of this part of the results, and its columns.
    __device__ __forceinline__ void write(const KeyResults& to, int part, int head, bool adds) {
        int64_t parts = gridDim.y;
        UNROLL for (int r = 0; r < 2; r++) {
            int key = spec.tile * Shape::KEPT + row + group_row(r);
            float total = warp_sum<QUAD>(column[r]);
            if (key < spec.keys) {
                int64_t at = ((spec.keyStart + key) * parts + part) * spec.headDim;
                keys.write(to.kGradient + at, r, spec.scale, spec.headDim, adds);
                values.write(to.vGradient + at, r, 1, spec.headDim, adds);
                if (to.columns != nullptr && threadIdx.x % QUAD == 0) {
                    to.columns[static_cast<int64_t>(head) * spec.keys + key] = total;
                }
            }
        }
    }

private:
    __device__ __forceinline__ unsigned char* slot(int n) const {
        return pool + 2 * Shape::KEPT_BYTES + n % Shape::SLOTS * Shape::SLOT_BYTES;
    }

    __device__ __forceinline__ RowNumbers* numbers(int n) const {
        return reinterpret_cast<RowNumbers*>(slot(n) + 2 * Shape::TILE_BYTES);
    }

    /// Waits for the n-th pair. Rows beyond the text's last get numbers of which every weight is 0.
    __device__ __forceinline__ void arrived(int tile, int n) {
        int rows = spec.queries - tile * Shape::TILE;
        if (rows < Shape::TILE) {
            pairs.wait(n);
            int thread = threadIdx.x - GROUP_THREADS;
            if (thread >= rows && thread < Shape::TILE) {
                numbers(n)[thread] = {BELOW_ALL, 0, 0, 0};
            }
        }
        await_pair<Shape>(pairs, n, slot(n), rows);
    }

    /// Adds a tile of queries; `follows` another one, whose products may still run.
    __device__ __forceinline__ void add(Products& s, Products& passed, int tile, int n, bool follows) {
        arrived(tile, n);
        const unsigned char* queries = slot(n);
        const unsigned char* gradients = queries + Shape::TILE_BYTES;
        const unsigned char* kept = pool + row * Shape::ROW_BYTES;
        begin_products(s, passed);
        multiply_rows<Shape, T, WIDTH>(s, kept, queries);
        multiply_rows<Shape, T, WIDTH>(passed, kept + Shape::KEPT_BYTES, gradients);
        // round() may multiply fp16 sums, while no products run.
        wait_for_products<NARROW<T> ? 0 : 1>(s, keys.sum, weight);
        if (follows) {
            pairs.release(n - 1);
        }
        float scale = spec.scale * LOG2_E;
        if (CAPPED) {
            soft_cap(spec, s);
            scale = 1;
        }
        if (!all_visible(tile * Shape::TILE)) {
            int query = tile * Shape::TILE;
            mask_products(s, scale, [&](int r) {
                int key = spec.tile * Shape::KEPT + row + group_row(r);
                return Range{spec.firstRow(key) - query, spec.endRow(key) - query};
            });
            scale = 1;
        }
        probabilities(s, scale, numbers(n));
        values.round(weight, s);
        begin_products(values.sum, weight);
        add_weighted<Shape, T>(values.sum, weight, gradients);
        wait_for_products<1>(passed);
        weights(s, passed, numbers(n));
        if constexpr (!NARROW<T>) { // fp16 has no registers to spare
            settle(column[0] + column[1]);
        }
        wait_for_products<0>(values.sum, weight);
        keys.round(weight, passed);
        begin_products(keys.sum, weight);
        add_weighted<Shape, T>(keys.sum, weight, queries);
    }

    /// Whether every key of the group is visible to every query of a tile.
    __device__ __forceinline__ bool all_visible(int query) const {
        int firstKey = spec.tile * Shape::KEPT + row;
        int lastKey = min(firstKey + Shape::ROWS, spec.keys) - 1;
        return query >= spec.firstRow(lastKey) && query + Shape::TILE <= spec.endRow(firstKey);
    }

    /// Turns products k q' into probabilities, in units of the queries.
    __device__ __forceinline__ void probabilities(Products& s, float scale, const RowNumbers* numbers) {
        UNROLL for (int c = 0; c < Shape::TILE / 8; c++) {
            UNROLL for (int i = 0; i < 2; i++) {
                const RowNumbers& query = copied(numbers[c * 8 + group_column() + i]);
                UNROLL for (int r = 0; r < 2; r++) {
                    float& p = s[4 * c + 2 * r + i];
                    p = fast_exp2(fmaf(p, scale, query.shift)) * (NARROW<T> ? query.unit : 1);
                }
            }
        }
    }

    /// Turns dL/dP into dL/ds over the spec's scale, in units of the queries. Scores follow from probabilities, which saves
    /// registers.
    __device__ __forceinline__ void weights(Products& p, Products& passed, const RowNumbers* numbers) {
        float toCap = CAPPED ? LN_2 / spec.softCap : 0;
        float part[2] = {};
        UNROLL for (int c = 0; c < Shape::TILE / 8; c++) {
            UNROLL for (int i = 0; i < 2; i++) {
                const RowNumbers& query = copied(numbers[c * 8 + group_column() + i]);
                UNROLL for (int r = 0; r < 2; r++) {
                    int at = 4 * c + 2 * r + i;
                    part[r] += saliency(p[at], passed[at]);
                    passed[at] = p[at] * (passed[at] - query.mean);
                    if constexpr (CAPPED) {
                        float score = log2f(p[at]) - query.shift - (NARROW<T> ? log2f(query.unit) : 0);
                        passed[at] *= capped_slope(score, toCap);
                    }
                }
            }
        }
        column[0] += part[0];
        column[1] += part[1];
    }

    const AttentionSpec& spec;
    unsigned char* pool;
    TileBarriers<Shape::SLOTS>& pairs;
    int row; // of the group, in the block
    GroupSums<Shape, T, WIDTH> keys;
    GroupSums<Shape, T, WIDTH> values;
    typename Shape::Rounded weight; // rounded probabilities, then dL/ds
    float column[2];                // of the saliency of a lane's keys
};

/// Starts the copies of keys and values, and of all pairs of tiles.
template <class Shape>
__device__ __forceinline__ void load_queries(unsigned char* pool, Barrier* kept, TileBarriers<Shape::SLOTS>& pairs,
                                             int part, Range tiles, const AttentionSpec& spec,
                                             const TensorMap& gradient, const TensorMap& numbers, const TensorMap& q,
                                             const TensorMap& k, const TensorMap& v) {
    constexpr int NUMBER_BYTES = Shape::TILE * sizeof(RowNumbers);
    int head = part * heads_of_block(spec);
    int key = spec.keyStart + spec.tile * Shape::KEPT;
    prefetch_map(k);
    prefetch_map(v);
    prefetch_map(q);
    prefetch_map(gradient);
    prefetch_map(numbers);
    arrive_expecting(kept, 2 * Shape::KEPT_BYTES);
    load_boxes<Shape, Shape::KEPT>(pool, k, kept, spec.kvHead(head), key);
    load_boxes<Shape, Shape::KEPT>(pool + Shape::KEPT_BYTES, v, kept, spec.kvHead(head), key);
    int n = 0;
    for (int end = head + heads_of_block(spec); head < end; head++) {
        for (int tile = tiles.first; tile < tiles.end; tile++, n++) {
            unsigned char* slot = pool + 2 * Shape::KEPT_BYTES + n % Shape::SLOTS * Shape::SLOT_BYTES;
            int query = tile * Shape::TILE;
            Barrier* full = pairs.begin(n, 2 * Shape::TILE_BYTES + NUMBER_BYTES);
            load_boxes<Shape, Shape::TILE>(slot, q, full, head, spec.queryStart + query);
            load_boxes<Shape, Shape::TILE>(slot + Shape::TILE_BYTES, gradient, full, head, spec.queryStart + query);
            load_box(slot + 2 * Shape::TILE_BYTES, numbers, full, static_cast<int>(4 * spec.element(head, query)));
        }
    }
}

template <class Shape, class T, int WIDTH, bool CAPPED>
__device__ __forceinline__ void key_groups(const KeyResults& to, unsigned char* pool, Barrier* kept,
                                           TileBarriers<Shape::SLOTS>& pairs, int part, const AttentionSpec& spec) {
    PairTiles tiles = tiles_of_keys<Shape>(spec, group_index() * Shape::ROWS);
    KeyGroup<Shape, T, WIDTH, CAPPED> group(spec, pool, pairs);
    wait_for(kept, 0);
    for (int i = 0; i < heads_of_block(spec); i++) {
        group.head(tiles, i * (tiles.block.end - tiles.block.first));
        group.write(to, part, part * heads_of_block(spec) + i, i > 0);
    }
}

template <class Shape, class T, int WIDTH>
__device__ __forceinline__ void attention_key_gradient(const KeyResults& to, const TensorMap& gradient,
                                                       const TensorMap& numbers, const TensorMap& q, const TensorMap& k,
                                                       const TensorMap& v, int part, const AttentionSpec& own) {
    DYNAMIC_SHARED(unsigned char, pool); // keys, values, slots of queries, gradients and numbers
    SHARED(Barrier, kept);
    SHARED(TileBarriers<Shape::SLOTS>, pairs);
    if (threadIdx.x == 0) {
        initialise(&kept, 1);
        pairs.initialise(Shape::ARRIVALS);
        barriers_initialised();
    }
    const AttentionSpec& spec = shared_spec(own);
    if (threadIdx.x < GROUP_THREADS) {
        give_registers<Shape::COPY_REGISTERS>();
        if (threadIdx.x == 0) {
            load_queries<Shape>(pool, &kept, pairs, part, tiles_of_keys<Shape>(spec, 0).block, spec, gradient, numbers,
                                q, k, v);
        }
        return;
    }
    take_registers<Shape::GROUP_REGISTERS>();
    if (spec.softCap > 0) {
        key_groups<Shape, T, WIDTH, true>(to, pool, &kept, pairs, part, spec);
    } else {
        key_groups<Shape, T, WIDTH, false>(to, pool, &kept, pairs, part, spec);
    }
}

#define ATTENTION_KEY_GRADIENT(WIDTH, NAME, T) \
    EXPORT_PAIR_GROUPS(attention_key_gradient_90a_##NAME##_d##WIDTH, KeyGroupShape<WIDTH>); \
    WIDE_KERNEL(attention_key_gradient_90a_##NAME##_d##WIDTH, KeyGroupShape<WIDTH>::THREADS, float* kGradient, \
                float* vGradient, float* columns, const __grid_constant__ TensorMap gradient, \
                const __grid_constant__ TensorMap numbers, const __grid_constant__ TensorMap q, \
                const __grid_constant__ TensorMap k, const __grid_constant__ TensorMap v, ATTENTION_SPEC) { \
        BlockPlace place = place_of_block(2 * KeyGroupShape<WIDTH>::KEPT_BYTES, 1); \
        attention_key_gradient<KeyGroupShape<WIDTH>, T, WIDTH>({kGradient, vGradient, columns}, gradient, numbers, q, \
                                                               k, v, place.head, \
                                                               ATTENTION_SPEC_VALUE(place.tile, place.tile, 0)); \
    }
#define BOTH(WIDTH) ATTENTION_KEY_GRADIENT(WIDTH, bf16, Bf16) ATTENTION_KEY_GRADIENT(WIDTH, f16, F16)
FOR_EACH_GROUP_WIDTH(BOTH)
