// What attention reads, from the joined projections of queries, keys and values: q and k after norm and rotation, and v.
//
//   split_heads_<to>   y = x, or x / sqrt(mean of squares + epsilon) * weight        q and k; over each head or over all heads
//                      (y[j], y[j + r]) -> (y[j] cos - y[j + r] sin, y[j + r] cos + y[j] sin)        q and k; j < r
//
// Root mean square normalisation: Zhang and Sennrich 2019. Rotary position embedding: RoFormer, Su et al. 2021, in the half-split
// order of GPT-NeoX.
//
// In      joined [rows, (heads + 2 kvHeads) * headDim]; queryWeight, keyWeight: both null, or [headDim], or if wide is 1
//         [heads * headDim] and [kvHeads * headDim]; cosine, sine [rows, r], 2 r <= headDim, null if r = 0; fp32.
//         places [rows], int: rows of k and v, without repetition; or null: 0, 1, ...
// Out     q [rows, heads * headDim], k and v [.., kvHeads * headDim], of one type: fp32, bf16 or fp16; every element of q, and
//         of these rows of k and v
// Launch  grid x = rows * groups, block split_heads_threads; groups = ceil((heads + 2 kvHeads) headDim / split_heads_columns), but
//         1 if wide
// Cost    the bytes of joined and of q, k and v; heads are read twice, the second time from the cache, if norms are wide, or if
//         they are per head and heads are wider than 256 or lack aligned quads
// Rounds  fp32, then once to the destinations' type; bit-reproducible
// See     Backend.splitHeads, test/split_heads_test.cpp
#include "quad.cuh"
#include "split_heads.cuh"

constexpr int THREADS = 256;
constexpr int WARPS = THREADS / WARP;
constexpr int LANE_COLUMNS = 2 * QUAD;
EXPORT(split_heads_threads, THREADS);
EXPORT(split_heads_columns, THREADS* LANE_COLUMNS);

/// The kernel's arguments.
template <class T>
struct SplitHeads {
    T* q;
    T* k;
    T* v;
    const float* joined;
    HeadNorms norms;
    const float* cosine;
    const float* sine;
    const int* places;
    int heads;
    int kvHeads;
    int headDim;
    int r;

    __device__ int all_heads() const {
        return heads + 2 * kvHeads;
    }

    __device__ const float* x(int row, int i) const {
        return joined + (static_cast<int64_t>(row) * all_heads() + i) * headDim;
    }

    /// The angles of a row.
    __device__ const float* angles(const float* cosineOrSine, int row) const {
        return cosineOrSine + static_cast<int64_t>(row) * r;
    }

    /// The row of q, k or v that receives a head.
    __device__ int place(JoinedHead head, int row) const {
        return head.isQuery || places == nullptr ? row : places[row];
    }

    __device__ T* y(JoinedHead head, int64_t place) const {
        T* tensor = head.isQuery ? q : head.isValue ? v : k;
        return tensor + (place * (head.isQuery ? heads : kvHeads) + head.index) * headDim;
    }

    /// Whether lanes can hold every head as quads.
    __device__ bool has_head_quads() const {
        return headDim <= WARP * LANE_COLUMNS && headDim % QUAD == 0 && r % QUAD == 0 && has_quads(q) && has_quads(k)
               && has_quads(v) && has_quads(joined) && has_quads(norms.query) && has_quads(norms.key) && has_quads(cosine)
               && has_quads(sine);
    }
};

/// 1 / root mean square of a row's q and k, if norms are over all heads.
struct WideInverses {
    float query = 1;
    float key = 1;

    __device__ float of(JoinedHead head) const {
        return head.isQuery ? query : key;
    }
};

/// Head i, by a warp.
template <class T>
__device__ void split_head(const SplitHeads<T>& split, WideInverses wide, int row, int i) {
    JoinedHead head(i, split.heads, split.kvHeads);
    const float* x = split.x(row, i);
    T* y = split.y(head, split.place(head, row));
    const float* weight = split.norms.weight(head, split.headDim);
    int lane = threadIdx.x % WARP;
    float inverse = wide.of(head);
    if (weight != nullptr && !split.norms.wide) {
        inverse = split.norms.inverse(warp_sum(squares(x, split.headDim, lane, WARP)), split.headDim);
    }
    auto normal = [&](int column) { return weight == nullptr ? x[column] : x[column] * inverse * weight[column]; };
    int turned = head.isValue ? 0 : split.r;
    for (int j = lane; j < turned; j += WARP) {
        float a = normal(j);
        float b = normal(j + turned);
        float c = split.angles(split.cosine, row)[j];
        float s = split.angles(split.sine, row)[j];
        y[j] = from_float<T>(a * c - b * s);
        y[j + turned] = from_float<T>(b * c + a * s);
    }
    for (int column = 2 * turned + lane; column < split.headDim; column += WARP) {
        y[column] = from_float<T>(normal(column));
    }
}

/// Lanes that hold one head are a power of two, so that they can exchange sums: 2^lane_bits.
__device__ inline int lane_bits(int headDim) {
    int bits = 0;
    while (LANE_COLUMNS << bits < headDim) {
        bits++;
    }
    return bits;
}

/// The quads of a head that a lane holds: two that rotation combines, or two of the columns behind those.
struct LaneQuads {
    bool turned;
    int column[2];
    bool there[2];

    __device__ LaneQuads(int lane, int headDim, int r) {
        int first = QUAD * lane;
        int half = (headDim / QUAD + 1) / 2 * QUAD;
        turned = first < r;
        column[0] = turned ? first : first + r;
        column[1] = turned ? first + r : first + half;
        there[0] = first < half;
        there[1] = there[0] && column[1] < headDim;
    }

    __device__ void read(Quad (&quads)[2], const float* head) const {
        UNROLL
        for (int i = 0; i < 2; i++) {
            if (there[i]) {
                quads[i] = read_quad(head + column[i]);
            }
        }
    }

    template <class T>
    __device__ void write(T* head, const Quad (&quads)[2]) const {
        UNROLL
        for (int i = 0; i < 2; i++) {
            if (there[i]) {
                write_quad(head + column[i], quads[i]);
            }
        }
    }
};

/// Head i, by 2^bits lanes. All lanes of the warp must participate, also those for which there is no head i.
template <class T>
__device__ void split_quads(const SplitHeads<T>& split, WideInverses wide, int row, int i, int bits) {
    JoinedHead head(i, split.heads, split.kvHeads);
    int lanes = 1 << bits;
    LaneQuads lane(threadIdx.x & (lanes - 1), i < split.all_heads() ? split.headDim : 0, head.isValue ? 0 : split.r);
    // all reads begin before the first wait: y, which needs the place, is computed last
    int place = split.place(head, row);
    Quad x[2] = {};
    lane.read(x, split.x(row, i));
    Quad cosine;
    Quad sine;
    if (lane.turned) {
        cosine = read_quad(split.angles(split.cosine, row) + lane.column[0]);
        sine = read_quad(split.angles(split.sine, row) + lane.column[0]);
    }
    const float* weights = split.norms.weight(head, split.headDim);
    Quad weight[2] = {};
    if (weights != nullptr) {
        lane.read(weight, weights);
    }
    float inverse = wide.of(head);
    if (split.norms.query != nullptr && !split.norms.wide) {
        float sum = 0;
        UNROLL
        for (int j = 0; j < QUAD; j++) {
            sum += x[0].of[j] * x[0].of[j] + x[1].of[j] * x[1].of[j];
        }
        UNROLL
        for (int distance = WARP / 2; distance > 0; distance /= 2) {
            if (distance < lanes) {
                sum += __shfl_xor_sync(ALL_LANES, sum, distance);
            }
        }
        inverse = split.norms.inverse(sum, split.headDim);
    }
    UNROLL
    for (int j = 0; j < QUAD; j++) {
        float a = x[0].of[j];
        float b = x[1].of[j];
        if (weights != nullptr) {
            a = a * inverse * weight[0].of[j];
            b = b * inverse * weight[1].of[j];
        }
        x[0].of[j] = lane.turned ? a * cosine.of[j] - b * sine.of[j] : a;
        x[1].of[j] = lane.turned ? b * cosine.of[j] + a * sine.of[j] : b;
    }
    lane.write(split.y(head, place), x);
}

template <class T>
__device__ void split_heads(const SplitHeads<T>& split, int groups) {
    int row = blockIdx.x / groups;
    int group = blockIdx.x % groups;
    WideInverses wide;
    if (split.norms.wide) {
        const float* x = split.x(row, 0);
        int width = split.heads * split.headDim;
        int keyWidth = split.kvHeads * split.headDim;
        wide.query = split.norms.inverse(block_sum(squares(x, width, threadIdx.x, THREADS)), width);
        wide.key = split.norms.inverse(block_sum(squares(x + width, keyWidth, threadIdx.x, THREADS)), keyWidth);
    }
    if (split.has_head_quads()) {
        int bits = lane_bits(split.headDim);
        int together = THREADS >> bits;
        for (int first = group * together; first < split.all_heads(); first += groups * together) {
            split_quads(split, wide, row, first + (threadIdx.x >> bits), bits);
        }
        return;
    }
    for (int i = group * WARPS + threadIdx.x / WARP; i < split.all_heads(); i += groups * WARPS) {
        split_head(split, wide, row, i);
    }
}

#define SPLIT_HEADS(name, T) \
    KERNEL(split_heads_##name, THREADS, T* q, T* k, T* v, const float* joined, const float* queryWeight, \
           const float* keyWeight, float epsilon, int wide, const float* cosine, const float* sine, const int* places, \
           int heads, int kvHeads, int headDim, int r, int groups) { \
        HeadNorms norms{queryWeight, keyWeight, epsilon, wide != 0}; \
        split_heads<T>({q, k, v, joined, norms, cosine, sine, places, heads, kvHeads, headDim, r}, groups); \
    }

SPLIT_HEADS(f32, float)
SPLIT_HEADS(bf16, Bf16)
SPLIT_HEADS(f16, F16)
