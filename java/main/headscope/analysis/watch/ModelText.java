package headscope.analysis.watch;

import headscope.analysis.InputException;
import headscope.analysis.Overflow;
import headscope.backend.AtlasSpec;
import headscope.backend.AttentionSpec;
import headscope.backend.AttentionStatistics;
import headscope.backend.Backend;
import headscope.model.Sequence;
import headscope.model.Transformer;
import headscope.model.text.Tokenizer;
import headscope.result.TokenNames;
import headscope.result.TokenTable;
import headscope.result.frame.Frame.Token;
import headscope.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** A text in our own model. */
final class ModelText implements ObservedText, AutoCloseable {
    /** Tokens before a new one that decide how it is named: enough for the bytes of one character. */
    private static final int NAME_CONTEXT = 16;

    private final Transformer model;
    private final Tokenizer tokenizer;
    private final Sequence sequence;
    private final List<Integer> ids = new ArrayList<>();

    ModelText(Transformer model, Tokenizer tokenizer, AtlasSpec atlas, int capacity) {
        this.model = model;
        this.tokenizer = tokenizer;
        this.sequence = model.sequence(capacity, Optional.of(atlas), true);
    }

    Sequence sequence() {
        return sequence;
    }

    /** Adds the tokens of the next pass, before it. */
    void append(int... tokens) {
        Arrays.stream(tokens).forEach(ids::add);
    }

    @Override
    public Backend backend() {
        return model.backend();
    }

    @Override
    public void overflow(String head) {
        throw new InputException("%s; %s".formatted(head, Overflow.remedy(model.backend())));
    }

    @Override
    public int layers() {
        return model.config().layers();
    }

    @Override
    public int heads() {
        return model.config().heads();
    }

    @Override
    public boolean causal() {
        return model.config().causal();
    }

    @Override
    public AttentionStatistics statistics() {
        return sequence.statistics();
    }

    @Override
    public AttentionStatistics statistics(int layer) {
        return sequence.statistics(layer);
    }

    @Override
    public AttentionSpec attentionSpec(int layer) {
        return model.attentionSpec(layer);
    }

    @Override
    public void attentionMap(Tensor destination, int layer, int head, int firstRow) {
        model.attentionMap(destination, sequence, layer, head, firstRow);
    }

    @Override
    public List<Token> tokens(int first, int end) {
        int from = Math.max(0, first - NAME_CONTEXT);
        List<String> pieces = new ArrayList<>(List.of(TokenTable.DIFFERS));
        ids.subList(from, end).forEach(id -> pieces.add(tokenizer.token(id)));
        pieces.add(TokenTable.DIFFERS);
        List<String> names = TokenNames.of(pieces).subList(1 + first - from, pieces.size() - 1);
        List<Token> tokens = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            tokens.add(new Token(ids.get(first + i), names.get(i)));
        }
        return tokens;
    }

    @Override
    public void close() {
        sequence.close();
    }
}
