package headscope.analysis.functions;

import headscope.analysis.PromptAnswer;

import headscope.result.MaskingTable;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * Checks whether answers depend on the heads that are important for a function: ablates its most important heads, as
 * many random other heads, and its least important heads.
 *
 * @param prompts the texts as tokens
 * @param right   whether the model answers a text right without ablation
 */
record HeadAblation(
        AnswerReader reader, FunctionsRequest.Ablation settings, FunctionTexts texts, List<PromptAnswer> prompts,
        IntPredicate right) {

    MaskingTable.Row of(int function, HeadImportance importance, RandomGenerator random) {
        int[] ranked = importance.ranked();
        int heads = Math.min(settings.heads().orElseGet(importance::beforeElbow), ranked.length / 2);
        int[] own = texts.chosen(true, function);
        int[] others = IntStream.of(texts.split(true)).filter(text -> texts.function(text) != function).toArray();
        int[] top = Arrays.copyOf(ranked, heads);
        int[] rest = Arrays.copyOfRange(ranked, heads, ranked.length);
        double byChance = 0;
        for (int draw = 0; draw < settings.draws(); draw++) {
            byChance += rightWithout(sample(rest, heads, random), own) / settings.draws();
        }
        return new MaskingTable.Row(
                texts.functions().get(function), heads,
                own.length, before(own), rightWithout(top, own), byChance,
                rightWithout(Arrays.copyOfRange(ranked, ranked.length - heads, ranked.length), own),
                others.length, before(others), rightWithout(top, others));
    }

    private double before(int[] chosen) {
        return IntStream.of(chosen).filter(right).count() / (double) chosen.length;
    }

    /** Share of right answers while some heads are ablated. */
    private double rightWithout(int[] heads, int[] chosen) {
        float[] factors = new float[reader.model().config().layers() * reader.model().config().heads()];
        Arrays.fill(factors, 1);
        for (int head : heads) {
            factors[head] = (float) settings.factor();
        }
        return reader.countRight(Arrays.stream(chosen).mapToObj(prompts::get).toList(), factors) / (double) chosen.length;
    }

    /** A sample of some heads without replacement, every subset equally likely. */
    private static int[] sample(int[] heads, int count, RandomGenerator random) {
        int[] shuffled = heads.clone();
        for (int i = 0; i < count; i++) {
            int j = random.nextInt(i, shuffled.length);
            int chosen = shuffled[j];
            shuffled[j] = shuffled[i];
            shuffled[i] = chosen;
        }
        return Arrays.copyOf(shuffled, count);
    }
}
