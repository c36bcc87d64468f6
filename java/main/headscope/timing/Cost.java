package headscope.timing;

/**
 * What a kernel has to do at least, by its formula.
 *
 * @param operations multiplications and additions
 * @param bytes      that must cross the memory bus
 */
record Cost(double operations, double bytes) {
    Cost plus(Cost other) {
        return new Cost(operations + other.operations, bytes + other.bytes);
    }
}
