package headscope.analysis.watch;

import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.result.TokenNames;
import headscope.result.frame.Frame.Token;
import headscope.result.tapped.TappedTokens;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** A text in a model of another process. Tokens that the tap has not named have their position as a name. */
final class AttachedText implements ObservedText {
    private final Backend backend;
    private final TappedText text;
    private final int layers;
    private final int heads;
    private final boolean causal;
    private final List<Token> tokens = new ArrayList<>();

    AttachedText(Backend backend, TappedText text, int layers, int heads, boolean causal) {
        this.backend = backend;
        this.text = text;
        this.layers = layers;
        this.heads = heads;
        this.causal = causal;
    }

    /** Names the tokens of a pass. */
    void name(TappedTokens named) {
        nameUntil(named.first());
        tokens.subList(named.first(), tokens.size()).clear();
        List<String> names = TokenNames.of(named.names());
        for (int i = 0; i < named.count(); i++) {
            String name = names.get(i).isEmpty() ? Integer.toString(named.ids()[i]) : names.get(i);
            tokens.add(new Token(named.ids()[i], name));
        }
    }

    private void nameUntil(int end) {
        while (tokens.size() < end) {
            tokens.add(new Token(0, "#" + tokens.size()));
        }
    }

    @Override
    public Backend backend() {
        return backend;
    }

    /** The other process goes on; its values are shown as missing. */
    @Override
    public void overflow(String head) {}

    @Override
    public int layers() {
        return layers;
    }

    @Override
    public int heads() {
        return heads;
    }

    @Override
    public boolean causal() {
        return causal;
    }

    @Override
    public AttentionStatistics statistics() {
        return text.statistics();
    }

    @Override
    public AttentionStatistics statistics(int layer) {
        return text.statistics(layer);
    }

    @Override
    public AttentionSpec attentionSpec(int layer) {
        return text.attentionSpec(layer);
    }

    @Override
    public void attentionMap(Tensor destination, int layer, int head, int firstRow) {
        int rows = destination.intSize(0);
        backend.attentionMap(destination, text.queries(layer, firstRow + rows).rows(firstRow, rows),
                text.keys(layer, firstRow + rows), text.attentionSpec(layer), head);
    }

    @Override
    public List<Token> tokens(int first, int end) {
        nameUntil(end);
        return List.copyOf(tokens.subList(first, end));
    }
}
