package headscope.analysis.saliency;

import headscope.analysis.InputException;
import headscope.analysis.Overflow;
import headscope.backend.AttentionSaliency;
import headscope.backend.Backend;
import headscope.model.GradientHook;
import headscope.model.ModelConfig;
import headscope.model.Transformer;
import headscope.result.SaliencyCell;
import headscope.result.SaliencyColumn;
import headscope.result.TokenGroup;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Collects the saliency statistics of every head during one text's backward pass. */
final class SaliencyFold {
    /** Maximum number of rows and columns of a thumbnail. */
    static final int SIDE = 24;

    private final Backend backend;
    private final String place;
    private final SaliencyText text;
    private final int target;
    /** 1 with --skip-first. */
    private final int firstSource;
    private final int heads;
    private final int side;
    private final OptionalInt ground;
    /** Group of each token; the ground token and the first token have classes of their own. */
    private final int[] classes;
    private final int groundClass;
    private final int firstClass;
    private final int classCount;
    private final Map<SaliencyColumn, float[]> values = new EnumMap<>(SaliencyColumn.class);
    private final float[] blocks;
    private final float[] small;
    private final float[] rows;
    private final float[] columns;
    private final float[] signed;
    private float largest;

    SaliencyFold(SaliencyRequest request, Transformer model, SaliencyText text, int target) {
        ModelConfig config = model.config();
        int all = config.layers() * config.heads();
        int groups = text.groups().size();
        this.backend = model.backend();
        this.place = text.place();
        this.text = text;
        this.target = target;
        this.firstSource = request.view().skipFirst() ? 1 : 0;
        this.heads = config.heads();
        this.side = request.view().cell() == SaliencyCell.THUMBNAIL ? Math.min(SIDE, text.length()) : 0;
        this.ground = text.ground(target);
        this.groundClass = groups;
        this.firstClass = groups + 1;
        this.classCount = groups + 2;
        this.classes = classes();
        for (SaliencyColumn column : SaliencyColumn.values()) {
            values.put(column, new float[all]);
        }
        this.blocks = new float[all * groups * groups];
        this.small = new float[all * side * side];
        this.rows = new float[all * text.length()];
        this.columns = new float[all * text.length()];
        this.signed = new float[all * text.length()];
    }

    private int[] classes() {
        int[] classes = new int[text.length()];
        Arrays.setAll(classes, this::group);
        classes[0] = firstClass;
        ground.ifPresent(token -> classes[token] = groundClass);
        return classes;
    }

    /** A token's group, or -1. */
    private int group(int token) {
        for (int i = 0; i < text.groups().size(); i++) {
            TokenGroup group = text.groups().get(i);
            if (token >= group.start() && token < group.end()) {
                return i;
            }
        }
        return -1;
    }

    /** The saliency to compute in every layer. */
    Optional<AttentionSaliency.Request> saliency() {
        return Optional.of(new AttentionSaliency.Request(classes, firstSource, side, List.of()));
    }

    /** See {@link GradientHook#gates}. */
    void gates(int layer, float[] gradient) {
        System.arraycopy(gradient, 0, values.get(SaliencyColumn.GATE_GRADIENT), layer * heads, heads);
    }

    /** See {@link GradientHook#attention}. */
    void attention(int layer, AttentionSaliency saliency) {
        int tokens = text.length();
        float[] rowSums = backend.download(saliency.rows);
        float[] maxima = backend.download(saliency.maximum);
        float[] ofClasses = backend.download(saliency.groups);
        int width = saliency.request.groupCount();
        System.arraycopy(backend.download(saliency.columns), 0, columns, layer * heads * tokens, heads * tokens);
        System.arraycopy(backend.download(saliency.signed), 0, signed, layer * heads * tokens, heads * tokens);
        System.arraycopy(backend.download(saliency.pooledMaximum), 0, small, layer * heads * side * side,
                heads * side * side);
        for (int head = 0; head < heads; head++) {
            fold(layer * heads + head,
                    Arrays.copyOfRange(rowSums, head * tokens, (head + 1) * tokens),
                    Arrays.copyOfRange(maxima, head * tokens, (head + 1) * tokens),
                    Arrays.copyOfRange(ofClasses, head * tokens * width, (head + 1) * tokens * width), width);
        }
    }

    /** @param ofClasses [tokens, width]: each row's sums over the columns of each class, the first column included */
    private void fold(int at, float[] rowSums, float[] maxima, float[] ofClasses, int width) {
        int tokens = text.length();
        double total = 0;
        for (int i = 0; i < tokens; i++) {
            // The first token is the only one of its class.
            float first = ofClasses[i * width + classes[0]];
            rows[at * tokens + i] = rowSums[i] + (firstSource > 0 ? first : 0);
            largest = Math.max(largest, Math.max(maxima[i], first));
            values.get(SaliencyColumn.MAXIMUM)[at] = Math.max(values.get(SaliencyColumn.MAXIMUM)[at], maxima[i]);
            total += rowSums[i];
        }
        long elements = tokens * (tokens + 1L) / 2 - (long) firstSource * tokens;
        values.get(SaliencyColumn.MEAN)[at] = (float) (total / elements);
        values.get(SaliencyColumn.AGGREGATE_SHARE)[at] = Float.NaN;
        values.get(SaliencyColumn.GATHER_SHARE)[at] = Float.NaN;
        if (ground.isPresent() && total > 0) {
            int token = ground.getAsInt();
            boolean counts = token >= firstSource;
            values.get(SaliencyColumn.AGGREGATE_SHARE)[at] = counts
                    ? (float) (ofClasses[text.last() * width + groundClass] / total) : 0;
            double before = rowSums[token] - (counts ? ofClasses[token * width + groundClass] : 0);
            values.get(SaliencyColumn.GATHER_SHARE)[at] = (float) (Math.max(0, before) / total);
        }
        int groups = text.groups().size();
        for (int i = 0; i < tokens && groups > 0; i++) {
            int receiving = group(i);
            for (int j = 0; j < classCount && receiving >= 0; j++) {
                int source = sourceGroup(j);
                if (source >= 0 && j < width) {
                    blocks[(at * groups + receiving) * groups + source] += ofClasses[i * width + j];
                }
            }
        }
    }

    /** The group that a class of tokens belongs to, or -1. */
    private int sourceGroup(int tokens) {
        if (tokens == groundClass) {
            return ground.isPresent() ? group(ground.getAsInt()) : -1;
        }
        return tokens == firstClass ? group(0) : tokens;
    }

    SaliencyObservation observation(float surprisal) {
        if (!Float.isFinite(largest)) {
            throw new InputException("%s: the gradients are not finite; %s".formatted(place, Overflow.remedy(backend)));
        }
        return new SaliencyObservation(target, surprisal, largest, values, blocks, small, rows, columns, signed);
    }
}
