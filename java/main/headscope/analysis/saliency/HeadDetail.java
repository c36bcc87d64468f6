package headscope.analysis.saliency;

import headscope.analysis.HeadName;
import headscope.analysis.Progress;
import headscope.result.TokenGroup;
import headscope.result.TokenNames;
import headscope.result.TokenTable;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.stream.IntStream;

/**
 * The map of one head, mean over texts.
 *
 * @param side   rows and columns: tokens, or groups of tokens if the texts differ in length
 * @param values [side, side], a row per receiving token or group, a column per source
 * @param betweenGroups whether values are sums over the elements of each pair of groups
 */
record HeadDetail(TokenTable side, float[] values, boolean betweenGroups) {
    /** The maps of distinct heads from token to token, of texts of the same length. */
    static List<HeadDetail> tokens(
            SaliencyObserver observer, List<SaliencyText> texts, List<SaliencyObservation> observations,
            List<HeadName> heads, Progress progress) {
        List<List<float[]>> maps = observer.maps(
                texts, observations.stream().mapToInt(SaliencyObservation::target).toArray(), heads, progress);
        List<List<TokenGroup>> groups = texts.stream().map(SaliencyText::groups).distinct().toList();
        List<String> names = IntStream.range(0, texts.getFirst().length())
                .mapToObj(token -> {
                    List<String> different = texts.stream().map(text -> text.tokens().get(token)).distinct().toList();
                    return different.size() == 1 ? different.getFirst() : TokenTable.DIFFERS;
                })
                .toList();
        TokenTable side = new TokenTable(names, groups.size() == 1 ? groups.getFirst() : List.of());
        return IntStream.range(0, heads.size())
                .mapToObj(head -> new HeadDetail(
                        side, SaliencyMeans.ofMaps(maps.stream().map(ofText -> ofText.get(head)).toList()), false))
                .toList();
    }

    /** The map from group to group, of texts with the same groups: sums over the elements of each pair. */
    static HeadDetail groups(
            List<SaliencyText> texts, List<SaliencyObservation> observations, HeadName head, int heads) {
        List<String> labels = texts.getFirst().labels();
        int size = labels.size() * labels.size();
        int from = (head.layer() * heads + head.head()) * size;
        return new HeadDetail(new TokenTable(labels, List.of()), SaliencyMeans.ofMaps(observations.stream()
                .map(text -> Arrays.copyOfRange(text.blocks(), from, from + size))
                .toList()), true);
    }

    /** The largest elements, in decreasing order. */
    List<SaliencySummary.Link> links(int count) {
        List<String> names = betweenGroups ? side.tokens() : TokenNames.of(side.tokens());
        int tokens = names.size();
        return largest(count).stream()
                .map(i -> new SaliencySummary.Link(
                        names.get(i % tokens), names.get(i / tokens), values[i]))
                .toList();
    }

    /** Indices of the largest elements, in decreasing order; the first of equal ones first. */
    private List<Integer> largest(int count) {
        Comparator<Integer> order = Comparator.comparingDouble((Integer i) -> -values[i]).thenComparing(Comparator.naturalOrder());
        PriorityQueue<Integer> kept = new PriorityQueue<>(order.reversed()); // begins with the smallest
        for (int i = 0; i < values.length; i++) {
            if (kept.size() < count) {
                kept.add(i);
            } else if (values[i] > values[kept.element()]) {
                kept.remove();
                kept.add(i);
            }
        }
        return kept.stream().sorted(order).toList();
    }
}
