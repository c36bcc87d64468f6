// Streams and graphs of the emulated driver, also for the emulated cuBLAS.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

/// What a captured stream has recorded; each node returns whether it succeeded.
struct Graph {
    std::vector<std::function<bool()>> nodes;
    bool spoilt = false; // by a call that a capture does not allow
};

struct Stream {
    std::deque<std::function<void()>> copies;
    std::size_t done = 0;   // number of copies already made
    Graph* graph = nullptr; // while it is captured

    void run(std::size_t until) {
        while (done < until && !copies.empty()) {
            copies.front()();
            copies.pop_front();
            done++;
        }
    }
    std::size_t queued() const {
        return done + copies.size();
    }

    /// Runs work, or records it. Returns a Status.
    __attribute__((visibility("default"))) int enqueue(std::function<bool()> work);
};

/// The stream that this thread captures, or null. While there is one, calls that wait for the device or allocate outside a
/// pool are refused.
extern thread_local Stream* capturing;

/// Refuses a call, which spoils the capture as in NVIDIA's driver. Returns a Status.
int refuse();
