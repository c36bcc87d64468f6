package headscope.analysis.comparison;

import headscope.result.SampleTable.Sample;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The texts of a run.
 *
 * @param digest of their file; empty if there is none
 * @param texts  in the order of their values; empty if the run has no values of single texts
 */
record ComparedTexts(String digest, List<Sample> texts) {
    /**
     * Which texts of two runs are the same.
     *
     * @param first  positions in the first run
     * @param second positions of the same texts in the second run
     * @param reason why there are none; empty if there are
     */
    record Pairs(List<Integer> first, List<Integer> second, String reason) {}

    /** Texts with the same id, if all have one; otherwise texts with the same index in the same file. */
    Pairs pairs(ComparedTexts other) {
        if (texts.isEmpty() || other.texts.isEmpty()) {
            return none("the runs contain no values of single texts");
        }
        if (texts.size() < 2 || other.texts.size() < 2) {
            return none("a test needs at least two texts");
        }
        if (hasIds() && other.hasIds()) {
            return pairs(other, Sample::id);
        }
        return !digest.isEmpty() && digest.equals(other.digest)
                ? pairs(other, sample -> String.valueOf(sample.index()))
                : none("the texts come from different files and have no unique ids by which to pair them");
    }

    private static Pairs none(String reason) {
        return new Pairs(List.of(), List.of(), reason);
    }

    private boolean hasIds() {
        return texts.stream().noneMatch(text -> text.id().isEmpty())
                && texts.stream().map(Sample::id).distinct().count() == texts.size();
    }

    private Pairs pairs(ComparedTexts other, Function<Sample, String> key) {
        Map<String, Integer> places = new HashMap<>();
        for (int i = 0; i < other.texts.size(); i++) {
            places.put(key.apply(other.texts.get(i)), i);
        }
        List<Integer> first = new ArrayList<>();
        List<Integer> second = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            Integer place = places.get(key.apply(texts.get(i)));
            if (place != null) {
                first.add(i);
                second.add(place);
            }
        }
        return first.size() < 2
                ? none("the runs have %d texts in common".formatted(first.size()))
                : new Pairs(first, second, "");
    }
}
