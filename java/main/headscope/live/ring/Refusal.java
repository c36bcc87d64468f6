package headscope.live.ring;

/** Why a message of a ring was not read. */
public enum Refusal {
    /** The producer has overwritten the slot: the reader is slower than the producer. */
    OVERWRITTEN,
    /** The slot changed while it was copied. */
    TORN,
    /** The slot holds an older message than the ring's header announces. */
    STALE,
    /** The slot's header has another magic number or version. */
    VERSION,
    /** The slot's header contradicts itself or the ring. */
    CONTRADICTORY,
    /** The checksum does not match. */
    CHECKSUM
}
