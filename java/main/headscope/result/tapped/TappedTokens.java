package headscope.result.tapped;

import java.util.List;

/**
 * The tokens of a pass, before its attention.
 *
 * @param ids   [count]
 * @param names [count], the text of each token; empty strings if the tap has no tokenizer
 */
public record TappedTokens(int text, int first, int end, int[] ids, List<String> names) implements Tapped {
    public TappedTokens {
        names = List.copyOf(names);
    }

    @Override
    public int count() {
        return ids.length;
    }
}
