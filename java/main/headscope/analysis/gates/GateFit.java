package headscope.analysis.gates;

import java.util.Optional;

/** The fits of a task: first without the regulariser, then from that result pushed open and pushed closed. */
enum GateFit {
    /** G0. */
    FREE("0", 0, 0, Optional.empty()),
    /** G+: pushed open; a head whose gate stays closed interferes. */
    OPEN("plus", 1, 1, Optional.of(FREE)),
    /** G-: pushed closed; a head whose gate stays open facilitates. */
    SHUT("minus", 2, -1, Optional.of(FREE)),
    /** The only fit of a contrast. */
    CONTRAST("contrast", 0, 1, Optional.empty());

    /** Number of schedules. */
    static final int SCHEDULES = 3;

    /** Suffix of the names of files and tensors. */
    final String suffix;

    /** Index of its schedule. */
    final int schedule;

    /** Sign of lambda. */
    final int sign;

    /** The fit whose result it starts from; empty = random gates. */
    final Optional<GateFit> start;

    GateFit(String suffix, int schedule, int sign, Optional<GateFit> start) {
        this.suffix = suffix;
        this.schedule = schedule;
        this.sign = sign;
        this.start = start;
    }
}
