package headscope.live.serve;

import headscope.result.frame.FrameSource;
import java.nio.ByteBuffer;

/** How probabilities of the atlas travel. */
enum CellFormat {
    /** IEEE 754 half precision: 11 significant bits from 1 down to 6.1e-5. */
    F16(2) {
        @Override
        void put(ByteBuffer out, float value) {
            out.putShort(Float.floatToFloat16(value));
        }
    },
    /** Steps of 1/255, rounded to nearest. */
    U8(1) {
        @Override
        void put(ByteBuffer out, float value) {
            out.put((byte) Math.round(value * 255));
        }
    };

    /** A whole atlas that takes more bytes in half precision travels in 8 bits: 512 heads of 64 x 64 cells do not. */
    private static final long MAX_F16_BYTES = 4 << 20;

    private final int bytes;

    CellFormat(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes per value. */
    int bytes() {
        return bytes;
    }

    abstract void put(ByteBuffer out, float value);

    static CellFormat of(FrameSource source) {
        long cells = (long) source.layers() * source.heads() * source.side() * source.side();
        return cells * F16.bytes <= MAX_F16_BYTES ? F16 : U8;
    }
}
