package headscope.analysis.gates;

import java.util.List;

/** What the fitted gates say of a head, from 0 to 1. */
public enum GateScore {
    /** G-: open although it was pushed shut. */
    FACILITATION("facilitating"),
    /** 1 - G+: shut although it was pushed open. */
    INTERFERENCE("interfering"),
    /** G+ (1 - G-): went where it was pushed both times. */
    IRRELEVANCE("irrelevant"),
    /** 1 - G of a contrast: shut, so that one answer is forgotten and the other kept. */
    CONTRAST("contrasting");

    /** A head has the role that a score stands for where the score is at least this. */
    static final double LEVEL = 0.5;

    /** Of such a head. */
    public final String adjective;

    GateScore(String adjective) {
        this.adjective = adjective;
    }

    /** Those that a task's fits give. */
    static List<GateScore> of(GateTask task) {
        return task.isContrast() ? List.of(CONTRAST) : List.of(FACILITATION, INTERFERENCE, IRRELEVANCE);
    }
}
