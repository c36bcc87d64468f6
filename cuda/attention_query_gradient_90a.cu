// attention_query_gradient_16bit.cu for Hopper: queries and the output's gradient stay resident, keys and values are
// streamed.
//
// In      gradient, q [queries, heads, headDim]; k, v [keys, kvHeads, headDim], of all texts; bf16 or fp16, as tensor maps
//         like those of attention_key_gradient_90a.cu; numbers [heads, queries, 4], fp32; groupOf and firstSource as in
//         attention_query_gradient.cu
// Out     qGradient, rows, maximum, groups as in attention_query_gradient_16bit.cu
// Launch  grid x = tiles of <kernel>_tile queries, y = heads; block <kernel>_threads; dynamic shared memory
//         <kernel>_shared
// Cost    6 queries keys headDim operations per head, half if causal; every query tile reads its visible k and v
// Rounds  as in attention_query_gradient_16bit.cu; bit-reproducible
// See     Gradients.attention, AttentionSaliency, test/attention_gradient_90a_test.cpp
#include "attention_gradient_groups.cuh"

template <int WIDTH>
using QueryGroupShape = PairGroupShape<WIDTH, 64, 3, 0>;

/// Keys visible to some of `count` queries; none if the queries are beyond the last.
__device__ inline Range keys_of_queries(const AttentionSpec& spec, int firstRow, int count) {
    int lastRow = min(firstRow + count, spec.queries) - 1;
    return firstRow > lastRow ? Range{0, 0} : Range{spec.firstKey(firstRow), spec.endKey(lastRow)};
}

template <class Shape>
__device__ inline PairTiles tiles_of_queries(const AttentionSpec& spec, int row) {
    int firstRow = spec.tile * Shape::KEPT;
    return PairTiles::of<Shape>(keys_of_queries(spec, firstRow, Shape::KEPT),
                                keys_of_queries(spec, firstRow + row, Shape::ROWS));
}

/// Row statistics of the saliency of a lane's rows, which comes in units of the rows.
template <class Shape, class T>
class SaliencyGroup {
public:
    using Products = typename Shape::Products;

    __device__ __forceinline__ SaliencyGroup(const Saliency& to, const AttentionSpec& spec, int head, int firstRow)
        : to(to), spec(spec), head(head), firstRow(firstRow) {
        UNROLL for (int r = 0; r < 2; r++) {
            sum[r] = maximum[r] = 0;
            for (int g = 0; writes(r) && g < to.groupCount; g++) {
                group(r, g) = 0;
            }
        }
    }

    __device__ __forceinline__ void tile(int firstKey, Products& saliency) {
        if (firstKey >= to.firstSource) {
            add<true>(firstKey, saliency);
        } else {
            add<false>(firstKey, saliency);
        }
        UNROLL_BY(1) for (int g = 0; g < to.groupCount; g++) {
            add_group(g, firstKey, saliency);
        }
    }

    /// All lanes of a quad share their rows.
    __device__ __forceinline__ void write(const float (&unit)[2]) {
        UNROLL for (int r = 0; r < 2; r++) {
            float total = warp_sum<QUAD>(sum[r]);
            float largest = warp_maximum<QUAD>(maximum[r]);
            if (writes(r)) {
                to.rows[at(r)] = total * unit[r];
                to.maximum[at(r)] = largest * unit[r];
                for (int g = 0; g < to.groupCount; g++) {
                    group(r, g) *= unit[r];
                }
            }
        }
    }

private:
    /// Unless ALL, keys before the first source do not count.
    template <bool ALL>
    __device__ __forceinline__ void add(int firstKey, Products& saliency) {
        int skipped = to.firstSource - firstKey - group_column();
        UNROLL for (int r = 0; r < 2; r++) {
            float part = 0;
            UNROLL for (int c = 0; c < Shape::TILE / 8; c++) {
                UNROLL for (int i = 0; i < 2; i++) {
                    float value = ALL || c * 8 + i >= skipped ? saliency[4 * c + 2 * r + i] : 0;
                    part += value;
                    maximum[r] = fmaxf(maximum[r], value);
                }
            }
            sum[r] += part;
        }
    }

    __device__ __forceinline__ void add_group(int g, int firstKey, Products& saliency) {
        float total[2] = {};
        bool some = false;
        UNROLL for (int c = 0; c < Shape::TILE / 8; c++) {
            UNROLL for (int i = 0; i < 2; i++) {
                int key = firstKey + group_column() + c * 8 + i;
                if (key < spec.keys && to.groupOf[key] == g) {
                    some = true;
                    UNROLL for (int r = 0; r < 2; r++) {
                        total[r] += saliency[4 * c + 2 * r + i];
                    }
                }
            }
        }
        if (__any_sync(ALL_LANES, some)) {
            UNROLL for (int r = 0; r < 2; r++) {
                float whole = warp_sum<QUAD>(total[r]);
                if (writes(r)) {
                    group(r, g) += whole;
                }
            }
        }
    }

    /// Whether the lane writes the row: one of those that share it does.
    __device__ __forceinline__ bool writes(int r) const {
        return to.rows != nullptr && threadIdx.x % QUAD == 0 && firstRow + group_row(r) < spec.queries;
    }

    /// Index of a lane's row in [heads, queries].
    __device__ __forceinline__ int64_t at(int r) const {
        return static_cast<int64_t>(head) * spec.queries + firstRow + group_row(r);
    }

    __device__ __forceinline__ float& group(int r, int g) const {
        return to.groups[at(r) * to.groupCount + g];
    }

    const Saliency& to;
    const AttentionSpec& spec;
    int head;
    int firstRow; // of the group, among the queries
    float sum[2];
    float maximum[2];
};

/// Gradients of a warp group's queries. The group computes probabilities while the products of dL/dP run; those of the
/// queries' gradient run beside the next tile's.
template <class Shape, class T, int WIDTH, bool CAPPED, bool OBSERVED>
class QueryGroup {
public:
    using Products = typename Shape::Products;

    __device__ __forceinline__ QueryGroup(const AttentionSpec& spec, int head, const RowNumbers* numbers,
                                          unsigned char* pool, TileBarriers<Shape::SLOTS>& pairs)
        : spec(spec), head(head), pool(pool), pairs(pairs), row(group_index() * Shape::ROWS) {
        UNROLL for (int r = 0; r < 2; r++) {
            int query = first_row() + group_row(r);
            RowNumbers own = query < spec.queries ? numbers[spec.element(head, query)] : RowNumbers{BELOW_ALL, 0, 1, 0};
            shift[r] = own.shift;
            mean[r] = own.mean;
            unit[r] = own.unit;
        }
        queries.clear();
    }

    __device__ __forceinline__ void gradient(float* qGradient, const Saliency& to) {
        PairTiles tiles = tiles_of_queries<Shape>(spec, row);
        SaliencyGroup<Shape, T> saliency(to, spec, head, first_row());
        Products s;
        Products passed;
        visit_tiles(
            tiles,
            [&](int tile) {
                int n = tile - tiles.block.first;
                await_pair<Shape>(pairs, n, slot(n), spec.keys - tile * Shape::TILE);
                __syncwarp(); // all lanes have waited
                pairs.release(n);
            },
            [&](int tile) { add(s, passed, saliency, tile, tile - tiles.block.first, tile > tiles.group.first); },
            [&]() {
                wait_for_products<0>(queries.sum, weight);
                if (tiles.group.first < tiles.group.end) {
                    pairs.release(tiles.group.end - 1 - tiles.block.first);
                }
            });
        UNROLL for (int r = 0; r < 2; r++) {
            int query = first_row() + group_row(r);
            if (query < spec.queries) {
                int64_t at = (static_cast<int64_t>(spec.queryStart) + query) * spec.heads + head;
                queries.write(qGradient + at * spec.headDim, r, spec.scale * (NARROW<T> ? unit[r] : 1), spec.headDim,
                              false);
            }
        }
        if (OBSERVED) {
            saliency.write(unit);
        }
    }

private:
    __device__ __forceinline__ int first_row() const {
        return spec.tile * Shape::KEPT + row;
    }

    __device__ __forceinline__ unsigned char* slot(int n) const {
        return pool + 2 * Shape::KEPT_BYTES + n % Shape::SLOTS * Shape::SLOT_BYTES;
    }

    /// Adds a tile of keys; `follows` another one, whose products may still run.
    __device__ __forceinline__ void add(Products& s, Products& passed, SaliencyGroup<Shape, T>& saliency, int tile,
                                        int n, bool follows) {
        int key = tile * Shape::TILE;
        await_pair<Shape>(pairs, n, slot(n), spec.keys - key);
        const unsigned char* keys = slot(n);
        const unsigned char* kept = pool + row * Shape::ROW_BYTES;
        begin_products(s, passed);
        multiply_rows<Shape, T, WIDTH>(s, kept, keys);
        multiply_rows<Shape, T, WIDTH>(passed, kept + Shape::KEPT_BYTES, keys + Shape::TILE_BYTES);
        // round() may multiply fp16 sums, while no products run.
        wait_for_products<NARROW<T> ? 0 : 1>(s, queries.sum, weight);
        if (follows) {
            pairs.release(n - 1);
        }
        float scale = spec.scale * LOG2_E;
        if (CAPPED) {
            soft_cap(spec, s);
            scale = 1;
        }
        if (!all_visible(key)) {
            mask_products(s, scale, [&](int r) {
                int query = first_row() + group_row(r);
                return Range{spec.firstKey(query) - key, spec.endKey(query) - key};
            });
            scale = 1;
        }
        UNROLL for (int i = 0; i < Shape::PRODUCTS; i++) {
            s[i] = fast_exp2(fmaf(s[i], scale, shift[i / 2 % 2]));
        }
        settle(s[Shape::PRODUCTS - 1]);
        wait_for_products<0>(passed);
        weights(s, passed);
        queries.round(weight, s);
        begin_products(queries.sum, weight);
        add_weighted<Shape, T>(queries.sum, weight, keys);
        if (OBSERVED) {
            saliency.tile(key, passed);
        }
    }

    /// Whether every key of a tile is visible to every query of the group.
    __device__ __forceinline__ bool all_visible(int key) const {
        int lastRow = min(first_row() + Shape::ROWS, spec.queries) - 1;
        return key >= spec.firstKey(lastRow) && key + Shape::TILE <= spec.endKey(first_row());
    }

    /// Turns probabilities into dL/ds over the spec's scale, and dL/dP into the saliency. Scores follow from probabilities.
    __device__ __forceinline__ void weights(Products& p, Products& passed) {
        float toCap = CAPPED ? LN_2 / spec.softCap : 0;
        UNROLL for (int i = 0; i < Shape::PRODUCTS; i++) {
            float weight = p[i] * (passed[i] - mean[i / 2 % 2]);
            if (CAPPED) {
                weight *= capped_slope(log2f(p[i]) - shift[i / 2 % 2], toCap);
            }
            if (OBSERVED) {
                passed[i] = saliency(p[i], passed[i]);
            }
            p[i] = weight;
        }
    }

    const AttentionSpec& spec;
    int head;
    unsigned char* pool;
    TileBarriers<Shape::SLOTS>& pairs;
    int row;        // of the group, in the block
    float shift[2]; // of a lane's rows, as in RowNumbers
    float mean[2];
    float unit[2];
    GroupSums<Shape, T, WIDTH> queries;
    typename Shape::Rounded weight; // rounded dL/ds
};

/// Starts the copies of queries and gradients, and of all pairs of tiles.
template <class Shape>
__device__ __forceinline__ void load_keys(unsigned char* pool, Barrier* kept, TileBarriers<Shape::SLOTS>& pairs,
                                          int head, Range tiles, const AttentionSpec& spec, const TensorMap& gradient,
                                          const TensorMap& q, const TensorMap& k, const TensorMap& v) {
    int query = spec.queryStart + spec.tile * Shape::KEPT;
    prefetch_map(q);
    prefetch_map(gradient);
    prefetch_map(k);
    prefetch_map(v);
    arrive_expecting(kept, 2 * Shape::KEPT_BYTES);
    load_boxes<Shape, Shape::KEPT>(pool, q, kept, head, query);
    load_boxes<Shape, Shape::KEPT>(pool + Shape::KEPT_BYTES, gradient, kept, head, query);
    for (int tile = tiles.first; tile < tiles.end; tile++) {
        int n = tile - tiles.first;
        unsigned char* slot = pool + 2 * Shape::KEPT_BYTES + n % Shape::SLOTS * Shape::SLOT_BYTES;
        int key = spec.keyStart + tile * Shape::TILE;
        Barrier* full = pairs.begin(n, 2 * Shape::TILE_BYTES);
        load_boxes<Shape, Shape::TILE>(slot, k, full, spec.kvHead(head), key);
        load_boxes<Shape, Shape::TILE>(slot + Shape::TILE_BYTES, v, full, spec.kvHead(head), key);
    }
}

template <class Shape, class T, int WIDTH>
__device__ __forceinline__ void attention_query_gradient(float* qGradient, const Saliency& to,
                                                         const TensorMap& gradient, const RowNumbers* numbers,
                                                         const TensorMap& q, const TensorMap& k, const TensorMap& v,
                                                         int head, const AttentionSpec& own) {
    DYNAMIC_SHARED(unsigned char, pool); // queries, gradients, slots of keys and values
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
            load_keys<Shape>(pool, &kept, pairs, head, tiles_of_queries<Shape>(spec, 0).block, spec, gradient, q, k, v);
        }
        return;
    }
    take_registers<Shape::GROUP_REGISTERS>();
    wait_for(&kept, 0);
    if (spec.softCap > 0) {
        if (to.rows != nullptr) {
            QueryGroup<Shape, T, WIDTH, true, true>(spec, head, numbers, pool, pairs).gradient(qGradient, to);
        } else {
            QueryGroup<Shape, T, WIDTH, true, false>(spec, head, numbers, pool, pairs).gradient(qGradient, to);
        }
    } else if (to.rows != nullptr) {
        QueryGroup<Shape, T, WIDTH, false, true>(spec, head, numbers, pool, pairs).gradient(qGradient, to);
    } else {
        QueryGroup<Shape, T, WIDTH, false, false>(spec, head, numbers, pool, pairs).gradient(qGradient, to);
    }
}

#define ATTENTION_QUERY_GRADIENT(WIDTH, NAME, T) \
    EXPORT_PAIR_GROUPS(attention_query_gradient_90a_##NAME##_d##WIDTH, QueryGroupShape<WIDTH>); \
    WIDE_KERNEL(attention_query_gradient_90a_##NAME##_d##WIDTH, QueryGroupShape<WIDTH>::THREADS, float* qGradient, \
                float* rows, float* maximum, float* groups, const __grid_constant__ TensorMap gradient, \
                const RowNumbers* numbers, const __grid_constant__ TensorMap q, const __grid_constant__ TensorMap k, \
                const __grid_constant__ TensorMap v, const int* groupOf, ATTENTION_SPEC, int groupCount, \
                int firstSource) { \
        BlockPlace place = place_of_block(2 * QueryGroupShape<WIDTH>::KEPT_BYTES, heads / kvHeads); \
        int tile = causal != 0 ? static_cast<int>(gridDim.x) - 1 - place.tile : place.tile; \
        attention_query_gradient<QueryGroupShape<WIDTH>, T, WIDTH>( \
            qGradient, {rows, maximum, groups, groupOf, groupCount, firstSource}, gradient, numbers, q, k, v, \
            place.head, ATTENTION_SPEC_VALUE(place.tile, tile, 0)); \
    }
#define BOTH(WIDTH) ATTENTION_QUERY_GRADIENT(WIDTH, bf16, Bf16) ATTENTION_QUERY_GRADIENT(WIDTH, f16, F16)
FOR_EACH_GROUP_WIDTH(BOTH)
