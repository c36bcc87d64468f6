// Clusters of blocks in the emulator: what they exchange, and reports of mistakes.
#include "../hopper.cuh"
#include "check.h"

namespace {
constexpr int THREADS = 64;
constexpr int BLOCKS = 4;

enum Mistake { NONE, READS_EARLY, READS_LOWER_EARLY, ENDS_EARLY, STAYS_AWAY, READS_OWN_REGISTERS };
} // namespace

/// Each block receives what the next one of its cluster has written to static and to dynamic shared memory.
CLUSTER_KERNEL(exchanged, THREADS, BLOCKS, float* received, Mistake mistake) {
    SHARED(float[THREADS], first);
    DYNAMIC_SHARED(float, second);
    int thread = threadIdx.x;
    first[thread] = static_cast<float>(blockIdx.x * THREADS + thread);
    second[thread] = -first[thread];
    if (mistake == STAYS_AWAY && cluster_rank() == 2 && thread == 5) {
        return;
    }
    if (mistake != READS_EARLY && mistake != READS_LOWER_EARLY) {
        sync_cluster();
    }
    int next = (cluster_rank() + (mistake == READS_LOWER_EARLY ? BLOCKS - 1 : 1)) % BLOCKS;
    float own = 0;
    float* to = received + (blockIdx.x * THREADS + thread) * 2;
    to[0] = read_from(next, mistake == READS_OWN_REGISTERS ? own : first[thread]);
    to[1] = read_from(next, second[THREADS - 1 - thread]);
    if (mistake != ENDS_EARLY) {
        end_together();
    }
}

static int exchange(std::vector<float>& received, int blocks, Mistake mistake) {
    received.assign(static_cast<std::size_t>(blocks) * THREADS * 2, NAN);
    float* data = received.data();
    void* arguments[] = {&data, &mistake};
    return headscope_launch("exchanged", blocks, 1, 1, THREADS, 1, 1, THREADS * sizeof(float), arguments);
}

static void check_exchange(int clusters) {
    std::vector<float> received;
    int result = exchange(received, clusters * BLOCKS, NONE);
    CHECK(result == 0, "%s", headscope_last_error());
    for (int block = 0; block < clusters * BLOCKS; block++) {
        int from = block / BLOCKS * BLOCKS + (block + 1) % BLOCKS;
        for (int thread = 0; thread < THREADS; thread++) {
            const float* pair = received.data() + (block * THREADS + thread) * 2;
            CHECK(pair[0] == from * THREADS + thread && pair[1] == -(from * THREADS + THREADS - 1 - thread),
                  "block %d, thread %d: %g and %g", block, thread, pair[0], pair[1]);
        }
    }
}

static void check_reported(Mistake mistake, const char* text) {
    situation = text;
    std::vector<float> received;
    int result = exchange(received, BLOCKS, mistake);
    CHECK(result != 0 && std::strstr(headscope_last_error(), text) != nullptr, "%s", headscope_last_error());
}

int main() {
    for (unsigned long order : {0ul, SEED, SEED + 1}) {
        headscope_shuffle(order);
        for (int clusters : {1, 2, 5}) {
            situation = std::to_string(clusters) + " clusters";
            check_exchange(clusters);
        }
        check_reported(READS_EARLY, "of the cluster has not declared this variable yet");
        check_reported(ENDS_EARLY, "has ended, and its shared memory with it");
        check_reported(READS_LOWER_EARLY, "of the cluster has not declared this variable yet");
        check_reported(STAYS_AWAY, "block (2, 0, 0)");
        check_reported(STAYS_AWAY, "other threads of the cluster");
        check_reported(READS_OWN_REGISTERS, "the element is not in shared memory");
        situation = "a part of a cluster";
        std::vector<float> received;
        int result = exchange(received, BLOCKS + 1, NONE);
        CHECK(result != 0 && std::strstr(headscope_last_error(), "clusters of 4 blocks") != nullptr, "%s",
              headscope_last_error());
    }
}
