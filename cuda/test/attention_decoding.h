// Launches of attention_decode.cu, attention_merge.cu and attention_add_rows.cu.
#pragma once

#include "attention_text.h"

#include <algorithm>

/// What attention_merge.cu computes from the scores of single queries.
struct NewestRow {
    float* scores = nullptr;
    double* columnSum = nullptr;
    double* sums = nullptr;
    float* cells = nullptr;
    int side = 0;
    int bin = 0;
    int mean = 0;
    float* newest = nullptr;
};

/// Texts whose keys are split, with the results of their splits.
template <class T>
struct Decoding {
    Spec spec;
    int splits;  // of all texts
    int queries; // maximum per text
    std::vector<float> sums, numbers;

    Decoding(const Spec& spec, int splits, int queries)
        : spec(spec), splits(splits), queries(queries),
          sums(static_cast<std::size_t>(splits) * queries * spec.heads * ((spec.headDim + 3) / 4 * 4), NAN),
          numbers(static_cast<std::size_t>(splits) * queries * spec.heads * 6, NAN) {}

    void decode(float* scores, const T* q, const T* k, const T* v, const int* pages, const TextTile* tiles, int texts,
                int only_queries, int only_keys, int capacity) {
        int rounds = static_cast<int>(pieces(spec.heads / spec.kvHeads, constant("attention_decode_heads")));
        launch3(withWidth<T>("attention_decode", spec.headDim).c_str(), spec.kvHeads * rounds, splits, queries,
                constant("attention_decode_threads"), v == nullptr ? nullptr : sums.data(), numbers.data(), scores, q, k, v,
                pages, tiles, only_queries, only_keys, spec.heads, spec.kvHeads, spec.headDim, spec.scale(),
                static_cast<int>(spec.causal), spec.window, spec.softCap, capacity, texts);
    }

    /// @param out fp32, bf16, fp16 or null
    template <class O>
    void merge(int blocks, O* out, float* const* statistics, const NewestRow& row, const TextTile* tiles, int texts,
               int only_queries, int only_keys, int capacity) {
        auto if_of = [&]<class X>(X* none) {
            if constexpr (std::is_same_v<X, O>) {
                return out;
            }
            return none;
        };
        int longest = only_keys;
        for (int i = 0; tiles != nullptr && i < texts; i++) {
            longest = std::max(longest, tiles[i].keys);
        }
        bool few = row.bin == 0 && longest <= constant("attention_merge_few") * constant("attention_decode_keys");
        int heads = few ? static_cast<int>(pieces(spec.heads, constant("attention_merge_heads"))) : spec.heads;
        launch3("attention_merge_f32", blocks, heads, queries, constant("attention_merge_threads"),
                if_of(static_cast<float*>(nullptr)), if_of(static_cast<Bf16*>(nullptr)), if_of(static_cast<F16*>(nullptr)),
                statistics[0], statistics[1], statistics[2], statistics[3], statistics[4], statistics[5], row.newest, row.scores,
                row.columnSum, row.sums, row.cells, sums.data(), numbers.data(), spec.sinks.empty() ? nullptr : spec.sinks.data(), tiles,
                only_queries, only_keys, spec.heads, spec.kvHeads, spec.headDim, spec.scale(),
                static_cast<int>(spec.causal), spec.window, spec.softCap, capacity, texts, splits, row.side, row.bin,
                row.mean);
    }

    /// Adds the newest rows of one layer's texts.
    void add_rows(int blocks, float* const* statistics, const NewestRow& row, const TextTile* tiles, const int* steps,
                  int texts, int slots) {
        int rounds = static_cast<int>(pieces(spec.heads, constant("attention_add_rows_heads")));
        launch3("attention_add_rows_f64", blocks, rounds, 1, constant("attention_add_rows_threads"), row.columnSum,
                row.sums, statistics[0], statistics[1], statistics[2], statistics[3], statistics[4], statistics[5],
                row.scores, row.newest, tiles, steps, texts, slots, spec.heads, std::int64_t{0});
    }

private:
    template <class... A>
    static void launch3(const char* kernel, int x, int y, int z, int threads, A... arguments) {
        void* pointers[] = {&arguments...};
        CHECK(headscope_launch(kernel, static_cast<unsigned>(x), static_cast<unsigned>(y), static_cast<unsigned>(z),
                               static_cast<unsigned>(threads), 1, 1, 0, pointers) == 0,
              "%s", headscope_last_error());
    }
};
