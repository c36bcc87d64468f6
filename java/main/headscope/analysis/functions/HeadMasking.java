package headscope.analysis.functions;

import headscope.analysis.PromptAnswer;

import headscope.result.MaskingTable;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * Whether answers depend on the heads that a function is read off: the model answers without its most important heads,
 * without as many others, and without its least important ones.
 *
 * @param answered the texts as tokens
 * @param right    whether the model gives a text's answer with all heads
 */
record HeadMasking(
        AnswerReader reader, FunctionsRequest.Masking settings, FunctionTexts texts, List<PromptAnswer> answered,
        IntPredicate right) {

    MaskingTable.Row of(int function, HeadImportance importance, RandomGenerator random) {
        int[] ranked = importance.ranked();
        int heads = Math.min(settings.heads().orElseGet(importance::beforeElbow), ranked.length / 2);
        int[] own = texts.chosen(true, function);
        int[] others = IntStream.of(texts.split(true)).filter(text -> texts.function(text) != function).toArray();
        int[] top = Arrays.copyOf(ranked, heads);
        int[] rest = Arrays.copyOfRange(ranked, heads, ranked.length);
        double randomly = 0;
        for (int draw = 0; draw < settings.draws(); draw++) {
            randomly += without(drawn(rest, heads, random), own) / settings.draws();
        }
        return new MaskingTable.Row(
                texts.functions().get(function), heads,
                own.length, before(own), without(top, own), randomly,
                without(Arrays.copyOfRange(ranked, ranked.length - heads, ranked.length), own),
                others.length, before(others), without(top, others));
    }

    private double before(int[] chosen) {
        return IntStream.of(chosen).filter(right).count() / (double) chosen.length;
    }

    /** Share of right answers with some heads held back. */
    private double without(int[] heads, int[] chosen) {
        float[] factors = new float[reader.model().config().layers() * reader.model().config().heads()];
        Arrays.fill(factors, 1);
        for (int head : heads) {
            factors[head] = (float) settings.factor();
        }
        return reader.right(Arrays.stream(chosen).mapToObj(answered::get).toList(), factors) / (double) chosen.length;
    }

    /** So many of them, each set alike likely. */
    private static int[] drawn(int[] heads, int count, RandomGenerator random) {
        int[] left = heads.clone();
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i, left.length);
            int chosen = left[j];
            left[j] = left[i];
            left[i] = chosen;
        }
        return Arrays.copyOf(left, count);
    }
}
