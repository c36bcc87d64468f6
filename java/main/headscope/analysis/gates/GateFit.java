package headscope.analysis.gates;

import java.util.Optional;

/** A mask is fitted to a task without pressure, then from there pushed open and pushed shut. */
enum GateFit {
    /** G0. */
    FREE("0", 0, 0, Optional.empty()),
    /** G+: what stays shut does harm. */
    OPEN("plus", 1, 1, Optional.of(FREE)),
    /** G-: what stays open is needed. */
    SHUT("minus", 2, -1, Optional.of(FREE)),
    /** Of a contrast, the only one. */
    CONTRAST("contrast", 0, 1, Optional.empty());

    /** How many different ones there are. */
    static final int SCHEDULES = 3;

    /** In names of files and tensors. */
    final String suffix;

    /** Which of the schedules it follows. */
    final int schedule;

    /** What lambda is multiplied with. */
    final int sign;

    /** The fit that it starts from; none = random gates. */
    final Optional<GateFit> start;

    GateFit(String suffix, int schedule, int sign, Optional<GateFit> start) {
        this.suffix = suffix;
        this.schedule = schedule;
        this.sign = sign;
        this.start = start;
    }
}
