package headscope.result;

import java.util.List;

/**
 * One value per pair of tokens of a text: T x T, row-major, a row per receiving token (query), a column per source
 * token (key).
 *
 * @param title  what it shows, as a heading; may be empty
 * @param unit   what a value is, as a label of the colour bar
 * @param tokens T of them, as the tokenizer writes them
 * @param groups from left to right, apart from each other; may be empty
 * @param values length T * T, finite
 */
public record TokenMap(String title, String unit, List<String> tokens, List<TokenGroup> groups, float[] values) {
    public TokenMap {
        tokens = List.copyOf(tokens);
        groups = List.copyOf(groups);
        if (tokens.isEmpty() || values.length != Math.multiplyExact(tokens.size(), tokens.size())) {
            throw new IllegalArgumentException(
                    "%s: %d values for %d tokens".formatted(title, values.length, tokens.size()));
        }
        int before = 0;
        for (TokenGroup group : groups) {
            if (group.start() < before || group.end() > tokens.size()) {
                throw new IllegalArgumentException("%s: %s is out of order or beyond the last of %d tokens"
                        .formatted(title, group, tokens.size()));
            }
            before = group.end();
        }
        for (float value : values) {
            if (!Float.isFinite(value)) {
                throw new IllegalArgumentException("%s: a value is %s".formatted(title, value));
            }
        }
        values = values.clone();
    }

    /** Row-major [T, T]; a copy. */
    @Override
    public float[] values() {
        return values.clone();
    }
}
