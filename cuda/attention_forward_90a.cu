// attention_forward_16bit.cu for Hopper: warp groups, tensor maps and products that run beside the softmax.
//
// In      q [queries, heads, headDim]; k, v [keys, kvHeads, headDim], of all texts; bf16 or fp16, as tensor maps of three
//         axes with the swizzle of 128 bytes and boxes of 64 columns, 1 head and 128 rows (q: <kernel>_tile rows); headDim a
//         multiple of 8; sinks [heads], fp32, or null; texts, and the tiles of <kernel>_tile queries of all texts
// Out     out [queries, heads * headDim], fp32, or the same in rounded, of the type of q; the other one is null; the
//         statistics of each text as in attention_forward.cu
// Launch  grid x = tiles, y = heads; block <kernel>_threads; dynamic shared memory <kernel>_shared
// Cost    4 queries keys headDim operations per head, half if causal; every query tile reads its visible k and v
// Rounds  as in attention_forward_16bit.cu, and the factors that shrink sums within 2 ulp; bit-reproducible, whatever the other
//         texts
// See     Backend.attention, test/attention_90a_test.cpp
#include "softmax_groups.cuh"

/// Starts the copies of the queries, and of all tiles of keys and values.
template <class Shape>
__device__ __forceinline__ void load_tiles(unsigned char* pool, Barrier* kept, TileBarriers<Shape::SLOTS>& keys,
                                           TileBarriers<Shape::SLOTS>& values, const KeyTiles<Shape>& tiles,
                                           const AttentionSpec& spec, const TensorMap& q, const TensorMap& k,
                                           const TensorMap& v) {
    int head = blockIdx.y;
    int kvHead = spec.kvHead(head);
    unsigned char* kPool = pool + Shape::KEPT_BYTES;
    unsigned char* vPool = kPool + Shape::SLOTS * Shape::TILE_BYTES;
    prefetch_map(q);
    prefetch_map(k);
    prefetch_map(v);
    arrive_expecting(kept, Shape::KEPT_BYTES);
    load_rows<Shape, Shape::KEPT>(pool, q, kept, head, spec.queryStart + tiles.firstRow);
    for (int i = 0; i < tiles.count; i++) {
        int slot = i % Shape::SLOTS * Shape::TILE_BYTES;
        int row = spec.keyStart + tiles.key(i);
        load_rows<Shape, Shape::TILE>(kPool + slot, k, keys.begin(i, Shape::TILE_BYTES), kvHead, row);
        load_rows<Shape, Shape::TILE>(vPool + slot, v, values.begin(i, Shape::TILE_BYTES), kvHead, row);
    }
}

/// Output of a warp group's rows, from the exponentials of one tile of keys after the other.
template <class Shape, class T, int WIDTH>
struct WeightedGroup {
    Registers<float, WIDTH / 2> sum;
    Registers<unsigned, Shape::TILE / 4> weight; // exponentials, rounded to 16 bits

    __device__ __forceinline__ WeightedGroup() {
        UNROLL for (int i = 0; i < WIDTH / 2; i++) {
            sum[i] = 0;
        }
    }

    __device__ __forceinline__ void round(Registers<float, Shape::PRODUCTS>& s) {
        UNROLL for (int i = 0; i < Shape::TILE / 4; i++) {
            weight[i] = pack<T>(s[2 * i], s[2 * i + 1]);
        }
    }

    __device__ __forceinline__ void shrink(const float (&factor)[2]) {
        if (__any_sync(ALL_LANES, factor[0] != 1 || factor[1] != 1)) {
            UNROLL for (int i = 0; i < WIDTH / 2; i++) {
                sum[i] *= factor[i / 2 % 2];
            }
        }
    }

    /// Starts adding the weights times a tile of values.
    __device__ __forceinline__ void add(const unsigned char* values) {
        add_weighted<Shape, T>(sum, weight, values);
    }

    /// Writes a row of one head, whose first element has the index `at`.
    __device__ __forceinline__ void write(const AttentionOutput<T>& to, int64_t at, int r, float factor, int headDim) {
        UNROLL for (int c = 0; c < WIDTH / 8; c++) {
            int column = c * 8 + group_column();
            float2 pair = make_float2(sum[4 * c + 2 * r] * factor, sum[4 * c + 2 * r + 1] * factor);
            if (column < headDim && to.exact != nullptr) {
                *reinterpret_cast<float2*>(to.exact + at + column) = pair;
            } else if (column < headDim) {
                *reinterpret_cast<unsigned*>(to.rounded + at + column) = pack<T>(pair.x, pair.y);
            }
        }
    }
};

/// Attention of a warp group's rows. The products of a tile's scores and of the values of the tile before it run while the
/// other groups compute theirs: groups take turns in issuing them.
template <class Shape, class T, int WIDTH, bool PLAIN>
__device__ __forceinline__ void attend_rows(const AttentionOutput<T>& out, const Statistics& statistics,
                                            unsigned char* pool, Barrier* kept,
                                            TileBarriers<Shape::SLOTS>& keys, TileBarriers<Shape::SLOTS>& values,
                                            const KeyTiles<Shape>& tiles, DiagonalScores<Shape::KEPT>& diagonal,
                                            const float* sinks, const AttentionSpec& spec) {
    constexpr int GROUPS = Shape::KEPT / Shape::ROWS;
    int head = blockIdx.y;
    int group = group_index();
    int row = group * Shape::ROWS;
    const unsigned char* queries = pool + row * Shape::ROW_BYTES;
    const unsigned char* kPool = pool + Shape::KEPT_BYTES;
    unsigned char* vPool = pool + Shape::KEPT_BYTES + Shape::SLOTS * Shape::TILE_BYTES;
    auto slot = [](int i) { return i % Shape::SLOTS * Shape::TILE_BYTES; };
    int turn = 1 + group;
    int next = 1 + (group + 1) % GROUPS;
    bool last = group == GROUPS - 1;
    SoftmaxGroup<Shape, PLAIN> softmax(spec, tiles.firstRow, row, diagonal);
    WeightedGroup<Shape, T, WIDTH> weighted;
    Registers<float, Shape::PRODUCTS> s;

    wait_for(kept, 0);
    keys.wait(0);
    begin_products(s);
    multiply_rows<Shape, T, WIDTH>(s, queries, kPool);
    wait_for_products<0>(s);
    keys.release(0);
    softmax.tile(Partial{}, tiles.key(0), s, weighted);
    weighted.round(s);
    if (tiles.key(0) + Shape::TILE > spec.keys) {
        values.wait(0);
        clear_rows<Shape>(vPool, spec.keys - tiles.key(0));
        publish();
        sync_threads(1 + GROUPS, GROUPS * GROUP_THREADS);
    }
    if (last && tiles.count > 1) {
        arrive_threads(next, 2 * GROUP_THREADS); // the first group's turn
    }
    visit_each(1, tiles.count, tiles.seen(spec, tiles.firstRow + row).whole, [&](auto how, int i) {
        keys.wait(i);
        sync_threads(turn, 2 * GROUP_THREADS);
        begin_products(s, weighted.sum, weighted.weight);
        multiply_rows<Shape, T, WIDTH>(s, queries, kPool + slot(i));
        values.wait(i - 1);
        begin_products();
        weighted.add(vPool + slot(i - 1));
        if (!(last && i == tiles.count - 1)) {
            arrive_threads(next, 2 * GROUP_THREADS);
        }
        wait_for_products<0>(s, weighted.sum, weighted.weight);
        keys.release(i);
        values.release(i - 1);
        softmax.tile(how, tiles.key(i), s, weighted);
        weighted.round(s);
    });
    values.wait(tiles.count - 1);
    begin_products(weighted.sum, weighted.weight);
    weighted.add(vPool + slot(tiles.count - 1));
    wait_for_products<0>(weighted.sum, weighted.weight);
    values.release(tiles.count - 1);

    UNROLL for (int r = 0; r < 2; r++) {
        FinishedRow finished = softmax.finish(r, sink_score(sinks, head));
        softmax.write(finished, r, statistics, head);
        int query = tiles.firstRow + row + group_row(r);
        if (query < spec.queries) {
            int64_t at = static_cast<int64_t>(spec.queryStart + query) * spec.heads + head;
            weighted.write(out, at * spec.headDim, r, finished.shrink * finished.inverse, spec.headDim);
        }
    }
}

template <class Shape, class T, int WIDTH>
__device__ __forceinline__ void
attention_forward(const AttentionOutput<T>& out, const Statistics& statistics, const TensorMap& q, const TensorMap& k,
                  const TensorMap& v, const float* sinks, const AttentionSpec& own) {
    DYNAMIC_SHARED(unsigned char, pool); // queries, slots of keys, slots of values
    SHARED(Barrier, kept);
    SHARED(TileBarriers<Shape::SLOTS>, keys);
    SHARED(TileBarriers<Shape::SLOTS>, values);
    SHARED(DiagonalScores<Shape::KEPT>, diagonal);
    if (threadIdx.x == 0) {
        initialise(&kept, 1);
        keys.initialise(Shape::ARRIVALS);
        values.initialise(Shape::ARRIVALS);
        barriers_initialised();
    }
    const AttentionSpec& spec = shared_spec(own);
    KeyTiles<Shape> tiles(spec);
    if (threadIdx.x < GROUP_THREADS) {
        give_registers<Shape::COPY_REGISTERS>();
        if (threadIdx.x == 0) {
            load_tiles<Shape>(pool, &kept, keys, values, tiles, spec, q, k, v);
        }
        return;
    }
    take_registers<Shape::GROUP_REGISTERS>();
    if (is_plain(spec)) {
        attend_rows<Shape, T, WIDTH, true>(out, statistics, pool, &kept, keys, values, tiles, diagonal, sinks, spec);
    } else {
        attend_rows<Shape, T, WIDTH, false>(out, statistics, pool, &kept, keys, values, tiles, diagonal, sinks, spec);
    }
}

/// Three groups where the registers suffice: softmax takes longer than the products of narrow heads.
template <int WIDTH>
constexpr int FORWARD_GROUPS = WIDTH == 64 ? 3 : 2;

template <int WIDTH>
struct ForwardShape : GroupShape<WIDTH, FORWARD_GROUPS<WIDTH>, 2> {
    using Shape = GroupShape<WIDTH, FORWARD_GROUPS<WIDTH>, 2>;
    static constexpr int BYTES = Shape::KEPT_BYTES + 2 * Shape::SLOTS * Shape::TILE_BYTES;
};

#define ATTENTION_FORWARD(WIDTH, NAME, T) \
    EXPORT_GROUPS(attention_forward_90a_##NAME##_d##WIDTH, ForwardShape<WIDTH>); \
    WIDE_KERNEL(attention_forward_90a_##NAME##_d##WIDTH, ForwardShape<WIDTH>::THREADS, float* out, T* rounded, STATISTICS, \
                const __grid_constant__ TensorMap q, const __grid_constant__ TensorMap k, \
                const __grid_constant__ TensorMap v, const float* sinks, ATTENTION_SPEC, int capacity) { \
        attention_forward<ForwardShape<WIDTH>, T, WIDTH>(AttentionOutput<T>{out, rounded}, STATISTICS_VALUE, q, k, v, sinks, \
                                                         QUERY_TILE_SPEC(capacity)); \
    }
#define BOTH(WIDTH) ATTENTION_FORWARD(WIDTH, bf16, Bf16) ATTENTION_FORWARD(WIDTH, f16, F16)
FOR_EACH_GROUP_WIDTH(BOTH)
