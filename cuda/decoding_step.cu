// Begins a step that appends one token to each of several texts, which are described on the device.
//
//   keys_i += 1    position_i = keys_i - 1    place_i = 16 pages_i[position_i / 16] + position_i % 16
//   mark_i = marks[i, steps_i] if there are marks    steps_i += 1
//
// In      tiles [texts], whose queries are 1 each; pages, int, from tiles[i].firstPage on those of text i; marks [texts,
//         draws], fp64, for draws > 0
// Out     positions, places [texts], int; mark [texts], fp64; steps [texts], int, and keys of tiles, advanced
// Launch  one thread per text: grid x = ceil(texts / decoding_step_threads), block decoding_step_threads
// Cost    100 bytes per text
// Rounds  exact
// See     DecodingTexts, DecodingStepsTest
#include "text_tile.cuh"

constexpr int THREADS = 64;
constexpr int PAGE = 16; // keys; PageTable.TOKENS
EXPORT(decoding_step_threads, THREADS);

KERNEL(decoding_step_i32, THREADS, int* positions, int* places, double* mark, int* steps, TextTile* tiles, const int* pages,
       const double* marks, int texts, int draws) {
    int text = static_cast<int>(element());
    if (text >= texts) {
        return;
    }
    int position = tiles[text].keys;
    tiles[text].keys = position + 1;
    positions[text] = position;
    places[text] = pages[tiles[text].firstPage + position / PAGE] * PAGE + position % PAGE;
    if (draws > 0) {
        mark[text] = marks[static_cast<int64_t>(text) * draws + steps[text]];
    }
    steps[text]++;
}
