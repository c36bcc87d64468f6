package headscope.analysis.gates;

/**
 * What a fit ended with, in fp32: what is read back after an interruption is what was computed.
 *
 * @param theta        logits of the gates [seeds][layers * heads]
 * @param nll of the batch before each update, nats [seeds][updates]
 */
record FittedMasks(float[][] theta, float[][] nll) {
    double gate(int seed, int head) {
        return GateMask.gate(theta[seed][head]);
    }

    int seeds() {
        return theta.length;
    }

    /** What heads' outputs are multiplied with [seeds][layers * heads]. */
    float[][] gates() {
        float[][] gates = new float[seeds()][];
        for (int seed = 0; seed < seeds(); seed++) {
            gates[seed] = new float[theta[seed].length];
            for (int head = 0; head < gates[seed].length; head++) {
                gates[seed][head] = (float) gate(seed, head);
            }
        }
        return gates;
    }
}
