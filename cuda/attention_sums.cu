// Adds the rows of several new queries to the sums over rows of each head (RowSums.java).
//
//   sums[h] (+)= sum_i (log a_ii, entropy_i, entropy_i / log n_i, distance_i, a_(i, i-1), a_ii, max_j a_ij)
//
// n_i is the number of keys that row i sees without a window; rows with n_i = 1 do not count there.
//
// In      the statistics of attention_forward.cu, [heads, capacity], of these queries, fp32
// Out     sums [slots, heads, 7], fp64: set if the queries are the first of the text, else added to
// Launch  grid x = heads, y = texts; block min(attention_sums_threads, most queries rounded up to 32)
// Cost    20 bytes per query and head
// Rounds  fp64, bit-reproducible
// See     Backend.snapshot, attention_decode.cu for single queries, test/attention_atlas_test.cpp
#include "block.cuh"
#include "row_sums.cuh"

constexpr int THREADS = 1024; // logarithms and exponentials in fp64 take long, and a head has one block
EXPORT(attention_sums_threads, THREADS);

KERNEL(attention_sums_f64, THREADS, double* sums, STATISTICS, ATTENTION_SPEC, int capacity) {
    AttentionSpec spec = ATTENTION_SPEC_VALUE(blockIdx.y, 0, capacity);
    Statistics rows = STATISTICS_VALUE;
    int head = static_cast<int>(blockIdx.x);
    int64_t base = spec.vector(head);
    RowSums own;
    for (int query = threadIdx.x; query < spec.queries; query += blockDim.x) {
        int token = spec.position(query);
        own.add(rows, base + token, token, spec.endKey(query));
    }
    for (int i = 0; i < ROW_SUMS; i++) {
        double sum = block_sum(own.x[i]);
        if (threadIdx.x == 0) {
            double& total = sums[(static_cast<int64_t>(spec.slot) * heads + head) * ROW_SUMS + i];
            total = spec.position(0) == 0 ? sum : total + sum;
        }
    }
}
