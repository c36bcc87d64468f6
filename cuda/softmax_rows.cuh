// Online softmax of query rows over key tiles (softmax_row.cuh), in the thread layout of attention.cuh.
#pragma once

#include "softmax_row.cuh"

class SoftmaxRows {
public:
    __device__ SoftmaxRows(const Head& head, int firstRow) : head(head), firstRow(firstRow) {
        UNROLL for (int r = 0; r < ROWS; r++) {
            own[r] = before[r] = BELOW_ALL;
        }
    }

    /// Turns scores into exp2(score - peak); sums over earlier tiles must be multiplied by shrink[r].
    __device__ void tile(int firstKey, float (&score)[ROWS][COLUMNS]) {
        UNROLL for (int r = 0; r < ROWS; r++) {
            int position = head.position(firstRow + tile_row(r));
            float highest = score[r][0];
            UNROLL for (int c = 1; c < COLUMNS; c++) {
                highest = fmaxf(highest, score[r][c]);
            }
            highest = fmaxf(rows[r].peak, warp_maximum<SIDE>(highest));
            shrink[r] = rows[r].raise(highest);
            UNROLL for (int c = 0; c < COLUMNS; c++) {
                int key = firstKey + tile_column(c);
                own[r] = key == position ? score[r][c] : own[r];
                before[r] = key == position - 1 ? score[r][c] : before[r];
                float below = score[r][c] - highest;
                float exponential = score[r][c] > BELOW_ALL ? exp2f(below) : 0;
                rows[r].sum += exponential;
                rows[r].moment += exponential * below;
                rows[r].distance += exponential * abs(position - key);
                score[r][c] = exponential;
            }
        }
    }

    /// After the last tile.
    __device__ FinishedRow finish(int r, float sink) const {
        SoftmaxRow whole = rows[r];
        whole.gather<SIDE>();
        return {whole, sink};
    }

    /// Writes the statistics; one lane per row.
    __device__ void write(const FinishedRow& finished, int r, const Statistics& to) const {
        int row = firstRow + tile_row(r);
        float ownScore = warp_maximum<SIDE>(own[r]);
        float beforeScore = warp_maximum<SIDE>(before[r]);
        if (to.logSumExp != nullptr && tile_column(0) == 0 && row < head.spec.queries) {
            finished.write(to, head.spec, head.index, row, ownScore, beforeScore);
        }
    }

    float shrink[ROWS];

private:
    const Head& head;
    int firstRow;
    SoftmaxRow rows[ROWS];
    float own[ROWS];    // score of the query's own token
    float before[ROWS]; // score of the previous token
};
