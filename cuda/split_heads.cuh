// The joined projections of queries, keys and values, see split_heads.cu.
#pragma once

#include "block.cuh"

/// One of the heads + 2 kvHeads heads of a joined row: queries, then keys, then values.
struct JoinedHead {
    bool isQuery;
    bool isValue;
    int index; // among the queries', the keys' or the values' heads

    __device__ JoinedHead(int head, int heads, int kvHeads)
        : isQuery(head < heads), isValue(head >= heads + kvHeads),
          index(isQuery ? head : head - heads - (isValue ? kvHeads : 0)) {}
};

/// Root-mean-square norms of q and k, of each head or, if wide, of all heads together; none if the weights are null.
struct HeadNorms {
    const float* query; // [headDim] or, if wide, [heads * headDim]
    const float* key;
    float epsilon;
    bool wide;

    /// The weights of a head's elements, or null.
    __device__ const float* weight(JoinedHead head, int headDim) const {
        const float* weights = head.isValue ? nullptr : head.isQuery ? query : key;
        return weights != nullptr && wide ? weights + static_cast<int64_t>(head.index) * headDim : weights;
    }

    __device__ float inverse(float squares, int width) const {
        return 1 / sqrtf(squares / width + epsilon);
    }
};

/// This thread's part of the sum of squares, for `threads` threads.
__device__ inline float squares(const float* x, int width, int thread, int threads) {
    float sum = 0;
    for (int column = thread; column < width; column += threads) {
        sum += x[column] * x[column];
    }
    return sum;
}
