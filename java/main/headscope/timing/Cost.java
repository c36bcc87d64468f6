package headscope.timing;

/**
 * The minimum work of a kernel, from its formula.
 *
 * @param operations number of multiplications and additions
 * @param bytes      transferred from and to memory
 */
record Cost(double operations, double bytes) {
    Cost plus(Cost other) {
        return new Cost(operations + other.operations, bytes + other.bytes);
    }
}
