package headscope.result;

import java.util.List;

/**
 * One value per pair of tokens of a text, [T, T]: a row per receiving token (query), a column per source token (key).
 *
 * @param title  heading of the map; may be empty
 * @param unit   label of the colour bar
 * @param tokens T strings of the vocabulary
 * @param groups from left to right, disjoint; may be empty
 * @param values row-major [T, T], finite
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

    /** A copy, row-major [T, T]. */
    @Override
    public float[] values() {
        return values.clone();
    }
}
