package headscope.timing;

import headscope.backend.AttentionSpec;

/**
 * What a forward pass processes.
 *
 * @param past   tokens of each text that earlier passes have processed
 * @param tokens new tokens of each text
 */
record Pass(int texts, int past, int tokens) {
    /** New tokens of all texts. */
    int rows() {
        return texts * tokens;
    }

    /** Number of visible pairs of query and key in all texts, per head. */
    double pairs(AttentionSpec spec) {
        int keys = past + tokens;
        double pairs = 0;
        for (int row = past; row < keys; row++) {
            pairs += spec.endKey(row, keys) - spec.firstKey(row);
        }
        return texts * pairs;
    }

    /** Number of keys that are visible to a new token, in all texts. */
    double keys(AttentionSpec spec) {
        return (double) texts * (past + tokens - spec.firstKey(past));
    }
}
