package headscope.result;

import java.util.List;

/** What the fitted gates say about a head, from 0 to 1 (causal head gating). */
public enum GateScore {
    /** G-: the gate stays open although it is pushed closed. */
    FACILITATION("facilitating"),
    /** 1 - G+: the gate stays closed although it is pushed open. */
    INTERFERENCE("interfering"),
    /** G+ (1 - G-): the gate goes where it is pushed, both times. */
    IRRELEVANCE("irrelevant"),
    /** 1 - G of a contrast: the gate closes to forget one answer and retain the other. */
    CONTRAST("contrasting");

    /** A head has the role of a score if the score is at least this. */
    public static final double LEVEL = 0.5;

    /** The role, as an adjective. */
    public final String adjective;

    GateScore(String adjective) {
        this.adjective = adjective;
    }

    /** The scores of a task, or of a contrast. */
    public static List<GateScore> of(boolean contrast) {
        return contrast ? List.of(CONTRAST) : List.of(FACILITATION, INTERFERENCE, IRRELEVANCE);
    }
}
