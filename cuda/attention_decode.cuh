// Products of attention_decode.cu: the keys of one split times the queries that share them, and exponentials times values.
// 16-bit operands are multiplied on tensor cores, straight from the registers into which they are loaded: the order of the
// columns and keys over which a product sums is free, so each lane takes those that it reads 16 bytes at a time. Of the
// masked keys, only whole pages of 16-bit operands are skipped: the products of others are not used, and their exponentials are 0.
#pragma once

#include "attention_splits.cuh"
#include "tensor_core.cuh"

#include <cstring>

constexpr int THREADS = 256;
constexpr int WARPS = THREADS / WARP;
constexpr int WARP_KEYS = SPLIT / WARPS;
constexpr int PAGES = WARP_KEYS / PAGE; // of a warp
constexpr int HEADS = 8;                // query heads of a block, which share a key head
constexpr int PART = 128;               // columns that are multiplied at a time
constexpr int LINE_BYTES = 128;         // that are requested at once

static_assert(SPLIT == THREADS, "each thread requests the rows of one key");

/// Scores of a split. Four columns of padding: eight heads lie in different banks.
using Scores = float[HEADS][SPLIT + 4];

/// At most PAGE rows of one head, of which the rows first .. end - 1 may be read.
/// CHUNKED: the width is a multiple of the elements in 16 bytes.
template <class T, bool CHUNKED>
struct RowsOf {
    const T* x;
    int stride; // stride * PAGE fits in 32 bits
    int first;
    int end;
    int headDim;

    /// Reads 16 bytes from a column on. Out of range, it reads other elements of the head instead, because unconditional
    /// loads are in flight together.
    template <class X>
    __device__ void read(X (&to)[4], int row, int column) const {
        const T* from = x + max(first, min(row, end - 1)) * stride;
        if constexpr (CHUNKED) {
            read_chunk(reinterpret_cast<T*>(to), from + (column < headDim ? column : 0));
        } else {
            // Element by element in a loop that is not unrolled, which would take too many registers.
            unsigned words[4] = {};
            UNROLL_BY(1) for (int e = 0; e < static_cast<int>(16 / sizeof(T)); e++) {
                T element = from[min(column + e, headDim - 1)];
                unsigned next = 0;
                memcpy(&next, &element, sizeof(element));
                UNROLL for (int i = 0; i < 4; i++) {
                    unsigned following = i < 3 ? words[i + 1] : next;
                    words[i] = sizeof(T) == 4 ? following : words[i] >> 16 | following << 16;
                }
            }
            memcpy(to, words, sizeof(words));
        }
    }

    /// The same, with 0 for columns beyond the head's width.
    template <class X>
    __device__ void read_padded(X (&to)[4], int row, int column) const {
        read(to, row, column);
        if constexpr (CHUNKED) {
            UNROLL for (int i = 0; i < 4; i++) {
                to[i] = column < headDim ? to[i] : 0;
            }
        } else {
            constexpr int ELEMENTS = 4 / sizeof(T);
            UNROLL for (int i = 0; i < 4; i++) {
                T elements[ELEMENTS];
                memcpy(elements, to + i, sizeof(elements));
                UNROLL for (int e = 0; e < ELEMENTS; e++) {
                    elements[e] = column + i * ELEMENTS + e < headDim ? elements[e] : from_float<T>(0);
                }
                memcpy(to + i, elements, sizeof(elements));
            }
        }
    }
};

/// The keys or values of a key head.
template <class T, bool CHUNKED>
struct Paged {
    const T* x;
    const int* pages; // of the text; null if its keys follow one another
    int stride;
    int first; // visible key
    int end;
    int headDim;

    /// Whether a key of the page that begins with this key is visible.
    __device__ bool sees(int key) const {
        return key < end && key + PAGE > first;
    }

    /// The rows of the page that begins with this key, a multiple of PAGE; of the nearest page with visible keys if it has
    /// none.
    __device__ RowsOf<T, CHUNKED> page(int key) const {
        key = max(first / PAGE * PAGE, min(key, (end - 1) / PAGE * PAGE));
        return {x + row(key) * stride, stride, first - key, end - key, headDim};
    }

    /// Starts to bring the visible rows of a split into the cache, one per thread: reading them page by page would leave too few
    /// bytes in flight.
    __device__ void request(int split) const {
        int key = split + static_cast<int>(threadIdx.x);
        if (key >= first && key < end) {
            const T* own = x + (row(key / PAGE * PAGE) + key % PAGE) * stride;
            for (int column = 0; column < headDim; column += static_cast<int>(LINE_BYTES / sizeof(T))) {
                prefetch(own + column);
            }
        }
    }

private:
    /// The row of the first key of a page.
    __device__ int64_t row(int key) const {
        return pages == nullptr ? key : static_cast<int64_t>(pages[key / PAGE]) * PAGE;
    }
};

/// Products of a warp's keys and the queries of a block's heads.
template <int WIDTH, class T, bool CHUNKED>
struct KeyProducts {
    static constexpr int STEP = 32; // columns that four lanes read at once
    static constexpr int STEPS = ((WIDTH < PART ? WIDTH : PART) + STEP - 1) / STEP;

    /// Lane l reads columns 8 (l % 4) .. + 7 of each step: a permutation of the columns of the product, equal in q and k.
    static __device__ void write(Scores& score, const RowsOf<T, CHUNKED>& q, const Paged<T, CHUNKED>& k, int split, int) {
        int lane = static_cast<int>(threadIdx.x) % WARP;
        UNROLL_BY(1) for (int p = 0; p < PAGES; p++) {
            int from = static_cast<int>(threadIdx.x) / WARP * WARP_KEYS + p * PAGE;
            if (!k.sees(split + from)) {
                continue;
            }
            RowsOf<T, CHUNKED> page = k.page(split + from);
            float sum[4] = {};
            UNROLL_BY(1) for (int part = 0; part < WIDTH; part += PART) {
                unsigned query[STEPS][4];
                unsigned upper[STEPS][4];
                unsigned lower[STEPS][4];
                UNROLL for (int s = 0; s < STEPS; s++) {
                    int column = part + s * STEP + lane % 4 * 8;
                    q.read_padded(query[s], lane / 4, column);
                    page.read(upper[s], lane / 4, column);
                    page.read(lower[s], lane / 4 + 8, column);
                }
                UNROLL for (int s = 0; s < STEPS; s++) {
                    UNROLL for (int half = 0; half < 4; half += 2) {
                        unsigned a[4] = {upper[s][half], lower[s][half], upper[s][half + 1], lower[s][half + 1]};
                        multiply<T>(sum, a, query[s] + half);
                    }
                }
            }
            UNROLL for (int i = 0; i < 4; i++) {
                score[lane % 4 * 2 + i % 2][from + lane / 4 + i / 2 * 8] = sum[i];
            }
        }
    }
};

template <int WIDTH, bool CHUNKED>
struct KeyProducts<WIDTH, float, CHUNKED> {
    static constexpr int LANES = 8; // that share a key
    static constexpr int STEP = LANES * 4;
    static constexpr int KEYS = PAGE * LANES / WARP; // per lane

    static __device__ void write(Scores& score, const RowsOf<float, CHUNKED>& q, const Paged<float, CHUNKED>& k, int split,
                                 int heads) {
        int lane = static_cast<int>(threadIdx.x) % WARP;
        int column = lane % LANES * 4;
        UNROLL_BY(1) for (int p = 0; p < PAGES; p++) {
            int from = static_cast<int>(threadIdx.x) / WARP * WARP_KEYS + p * PAGE;
            RowsOf<float, CHUNKED> page = k.page(split + from);
            float sum[KEYS][HEADS] = {};
            UNROLL_BY(1) for (int s = 0; s < WIDTH; s += STEP) {
                float key[KEYS][4];
                UNROLL for (int i = 0; i < KEYS; i++) {
                    page.read(key[i], lane / LANES + i * (WARP / LANES), s + column);
                }
                UNROLL for (int head = 0; head < HEADS; head++) {
                    if (head < heads) {
                        float query[4];
                        q.read_padded(query, head, s + column);
                        UNROLL for (int i = 0; i < KEYS; i++) {
                            UNROLL for (int e = 0; e < 4; e++) {
                                sum[i][head] += query[e] * key[i][e];
                            }
                        }
                    }
                }
            }
            UNROLL for (int head = 0; head < HEADS; head++) {
                if (head < heads) {
                    UNROLL for (int i = 0; i < KEYS; i++) {
                        float product = warp_sum<LANES>(sum[i][head]);
                        if (lane % LANES == head) {
                            score[head][from + lane / LANES + i * (WARP / LANES)] = product;
                        }
                    }
                }
            }
        }
    }
};

/// Exponentials times values, of PART columns: the sums over each warp's keys.
template <int WIDTH>
struct WeightedValues {
    static constexpr int COLUMNS_AT_ONCE = WIDTH < PART ? WIDTH : PART;

    float sums[WARPS][HEADS][COLUMNS_AT_ONCE + 1]; // one column of padding: two heads lie in different banks

    /// Lane l reads the values of four keys at columns 8 (l / 4) .. + 7 of each half: a permutation of keys and columns of
    /// the product [columns, keys] [keys, heads].
    template <class T, bool CHUNKED>
    __device__ void write(const Scores& exponential, const Paged<T, CHUNKED>& v, int split, int column, int heads) {
        constexpr int HALVES = (COLUMNS_AT_ONCE + 63) / 64;
        constexpr float SCALE = 32768; // the second number of a small exponential would be subnormal in fp16
        int lane = static_cast<int>(threadIdx.x) % WARP;
        int warp = static_cast<int>(threadIdx.x) / WARP;
        float sum[HALVES][4][4] = {};
        UNROLL_BY(1) for (int p = 0; p < PAGES; p++) {
            int from = warp * WARP_KEYS + p * PAGE;
            if (!v.sees(split + from)) {
                continue;
            }
            RowsOf<T, CHUNKED> page = v.page(split + from);
            unsigned value[HALVES][4][4];
            UNROLL for (int half = 0; half < HALVES; half++) {
                UNROLL for (int i = 0; i < 4; i++) {
                    page.read(value[half][i], lane % 4 + 4 * i, column + half * 64 + lane / 4 * 8);
                }
            }
            unsigned high[2];
            unsigned low[2];
            UNROLL for (int i = 0; i < 2; i++) {
                float rounded[2];
                float rest[2];
                UNROLL for (int j = 0; j < 2; j++) {
                    float x = exponential[lane / 4][from + lane % 4 + 4 * (2 * i + j)] * SCALE;
                    rounded[j] = to_float(from_float<T>(x));
                    rest[j] = x - rounded[j];
                }
                high[i] = pack<T>(rounded[0], rounded[1]);
                low[i] = pack<T>(rest[0], rest[1]);
            }
            UNROLL for (int half = 0; half < HALVES; half++) {
                UNROLL for (int pair = 0; pair < 4; pair++) { // of columns
                    unsigned(&x)[4][4] = value[half];
                    unsigned a[4] = {(x[0][pair] & 0xffff) | x[1][pair] << 16, x[0][pair] >> 16 | (x[1][pair] & 0xffff0000),
                                     (x[2][pair] & 0xffff) | x[3][pair] << 16, x[2][pair] >> 16 | (x[3][pair] & 0xffff0000)};
                    multiply<T>(sum[half][pair], a, high);
                    multiply<T>(sum[half][pair], a, low);
                }
            }
        }
        UNROLL for (int half = 0; half < HALVES; half++) {
            int at = half * 64 + lane / 4 * 8;
            UNROLL for (int i = 0; i < 16; i++) {
                int head = lane % 4 * 2 + i % 2;
                if (at < COLUMNS_AT_ONCE && head < heads) {
                    sums[warp][head][at + i / 2] = sum[half][i / 4][i % 4] * (1 / SCALE);
                }
            }
        }
    }

    template <bool CHUNKED>
    __device__ void write(const Scores& exponential, const Paged<float, CHUNKED>& v, int split, int column, int heads) {
        constexpr int LANES = COLUMNS_AT_ONCE <= 16 ? 4 : COLUMNS_AT_ONCE <= 32 ? 8 : COLUMNS_AT_ONCE <= 64 ? 16 : 32;
        int lane = static_cast<int>(threadIdx.x) % WARP;
        int warp = static_cast<int>(threadIdx.x) / WARP;
        int own = lane % LANES * 4;
        float sum[HEADS][4] = {};
        UNROLL_BY(1) for (int p = 0; p < PAGES; p++) {
            int from = warp * WARP_KEYS + p * PAGE;
            RowsOf<float, CHUNKED> page = v.page(split + from);
            UNROLL_BY(2) for (int i = lane / LANES; i < PAGE; i += WARP / LANES) {
                float value[4];
                page.read(value, i, column + own);
                UNROLL for (int head = 0; head < HEADS; head++) {
                    if (head < heads) {
                        UNROLL for (int e = 0; e < 4; e++) {
                            sum[head][e] += exponential[head][from + i] * value[e];
                        }
                    }
                }
            }
        }
        UNROLL for (int head = 0; head < HEADS; head++) {
            UNROLL for (int e = 0; e < 4; e++) {
                for (int lanes = LANES; lanes < WARP; lanes *= 2) {
                    sum[head][e] += __shfl_xor_sync(ALL_LANES, sum[head][e], lanes);
                }
                if (lane < LANES && own < COLUMNS_AT_ONCE && head < heads) {
                    sums[warp][head][own + e] = sum[head][e];
                }
            }
        }
    }
};
