package headscope.live.screen;

/** Which of many labels are shown, so that none overlap. */
final class LabelStep {
    private LabelStep() {}

    /** The smallest of 1, 2, 5, 10, 20, ... whose multiples lie at least {@code room} apart. */
    static int of(double pitch, double room) {
        for (long power = 1; power < Integer.MAX_VALUE; power *= 10) {
            for (int digit : new int[] {1, 2, 5}) {
                if (digit * power * pitch >= room) {
                    return Math.toIntExact(digit * power);
                }
            }
        }
        return Integer.MAX_VALUE;
    }
}
