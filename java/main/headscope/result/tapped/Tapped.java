package headscope.result.tapped;

/** What a tap in another process hands over of one pass of its model. */
public sealed interface Tapped permits TappedAttention, TappedTokens {
    /** Number of the text, from 1, modulo 65,536; later passes over the same text have the same number. */
    int text();

    /** Position of the first of these tokens in the text; padding does not count. */
    int first();

    /** Number of these tokens. */
    int count();

    /** Number of tokens of the text after the pass: a pass may take several messages. */
    int end();
}
